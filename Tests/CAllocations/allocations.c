// For dl_iterate_phdr.
#define _GNU_SOURCE
#include "CAllocations.h"

#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static __thread long count __attribute__((tls_model("initial-exec")));

static __thread long own_count __attribute__((tls_model("initial-exec")));

long allocation_count(void) { return count; }
long own_allocation_count(void) { return own_count; }

// The code of the program and of Swift's libraries; libstdc++ has the `new` of Swift's runtime.
static struct { uintptr_t start, end; } own_code[32];
static int own_code_count;

static int note_code(struct dl_phdr_info *object, size_t size, void *context) {
  const char *name = object->dlpi_name;
  int is_own = !*name || strstr(name, "libswift") || strstr(name, "Foundation") || strstr(name, "libstdc++");
  for (int i = 0; is_own && i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    if (own_code_count == sizeof own_code / sizeof *own_code) __builtin_trap();
    uintptr_t start = object->dlpi_addr + part->p_vaddr;
    own_code[own_code_count].start = start;
    own_code[own_code_count++].end = start + part->p_memsz;
  }
  return 0;
}

// MPI's plug-ins come later, and are not ours.
__attribute__((constructor)) static void note_own_code(void) { dl_iterate_phdr(note_code, NULL); }

static void add(const void *caller) {
  count++;
  for (int i = 0; i < own_code_count; i++) {
    if ((uintptr_t)caller - own_code[i].start < own_code[i].end - own_code[i].start) {
      own_count++;
      return;
    }
  }
}

void *malloc(size_t size) {
  add(__builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  add(__builtin_return_address(0));
  return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
  add(__builtin_return_address(0));
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  add(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  add(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  add(__builtin_return_address(0));
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
