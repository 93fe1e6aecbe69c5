#include "CMemory.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int own_rank = 0;
static int rank_count = 1;

void memory_name_rank(int rank, int size) {
  own_rank = rank;
  rank_count = size;
}

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

// Nothing here may allocate.
static void end_without(size_t size) {
  static atomic_flag ends = ATOMIC_FLAG_INIT;
  // Another thread is at it.
  while (atomic_flag_test_and_set(&ends)) pause();
  // Whatever handler the program has, the launcher's signal ends this process.
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &terminate, NULL);
  // The ranks of a job often run out of memory together: the lowest speaks, and the launcher, which takes up to a second
  // to notice, ends the others before they do. In short sleeps, which become longer on a busy machine as its time does.
  for (int i = 0; i < 150 * (own_rank < 8 ? own_rank : 8); i++) usleep(10000);
  char name[64] = "", text[256];
  if (own_rank > 0) snprintf(name, sizeof name, "[rank %d/%d] ", own_rank, rank_count);
  const int length = snprintf(text, sizeof text, "%serror: out of memory — expected %zu %s more, got none (rank %d)\n", name,
                              size >> 20 ? size >> 20 : size, size >> 20 ? "MB" : "bytes", own_rank);
  if (write(STDERR_FILENO, text, length) < 0) _exit(70);
  _exit(70);
}

// These stand in for the C library's own, which calls them too. Weak: tests that count allocations have theirs.
#define STAND_IN __attribute__((weak))

STAND_IN void *malloc(size_t size) {
  void *memory = __libc_malloc(size);
  if (!memory) end_without(size);
  return memory;
}

STAND_IN void *calloc(size_t number, size_t size) {
  void *memory = __libc_calloc(number, size);
  if (!memory) end_without(number * size);
  return memory;
}

STAND_IN void *realloc(void *old, size_t size) {
  void *memory = __libc_realloc(old, size);
  if (!memory && size) end_without(size);
  return memory;
}

STAND_IN void *memalign(size_t alignment, size_t size) {
  void *memory = __libc_memalign(alignment, size);
  if (!memory) end_without(size);
  return memory;
}

STAND_IN void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

STAND_IN int posix_memalign(void **result, size_t alignment, size_t size) {
  *result = memalign(alignment, size);
  return 0;
}

#endif
