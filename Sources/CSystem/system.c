#define _GNU_SOURCE

#include "CSystem.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal = 0;

static void note(int number) {
  if (stop_signal == 0) stop_signal = number;
}

void system_note_stop_signals(void) {
  const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
  sigset_t noted;
  sigemptyset(&noted);
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    // System calls under way go on; the first SIGINT gives the second one its old meaning.
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    if (numbers[i] == SIGINT) action.sa_flags |= SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(numbers[i], &action, NULL);
    sigaddset(&noted, numbers[i]);
  }
  // A limit on the size of files is an error like a full disk, not the end of the job.
  signal(SIGXFSZ, SIG_IGN);
  // Whoever started this process may have blocked them, and a new process inherits that.
  pthread_sigmask(SIG_UNBLOCK, &noted, NULL);
}

int system_stop_signal(void) { return stop_signal; }

void system_end_with_parent(void) {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before the call.
  if (getppid() != parent) raise(SIGKILL);
}

void system_start_writing(int descriptor) { sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE); }

void system_use_processors_of_parent(void) {
  cpu_set_t processors;
  if (sched_getaffinity(getppid(), sizeof processors, &processors) == 0)
    sched_setaffinity(0, sizeof processors, &processors);
}

int system_bypass_cache(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags == -1 || fcntl(descriptor, F_SETFL, flags | O_DIRECT) == -1) return 0;
  // Some file systems take the flag and then refuse to read.
  _Alignas(4096) char block[4096];
  if (pread(descriptor, block, sizeof block, 0) >= 0) return 1;
  fcntl(descriptor, F_SETFL, flags);
  return 0;
}

void system_use_cache(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags != -1) fcntl(descriptor, F_SETFL, flags & ~O_DIRECT);
}

const char *system_host_name(void) {
  static _Thread_local char name[256];
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

int system_memory_file(void) { return memfd_create("lstm-dist", MFD_CLOEXEC); }
