#define _GNU_SOURCE

#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal = 0;

static const struct {
  int number;
  const char *name;
} stop_signals[] = {
    {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},   {SIGXCPU, "SIGXCPU"},
    {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"},
};
static const unsigned stop_signal_count = sizeof stop_signals / sizeof *stop_signals;

// What a handler writes: the name of the signal between two texts; nothing while `answers` is 0.
static char answer_before[2], answer_behind[128];
static volatile sig_atomic_t answers = 0;
static volatile sig_atomic_t exit_code = 0;

static void set_answer(const char *answer, bool on_new_line) {
  answers = 0;
  if (!answer) return;
  answer_before[0] = on_new_line ? '\n' : 0;
  strncpy(answer_behind, answer, sizeof answer_behind - 1);
  answers = 1;
}

// In one piece, so that the lines of ranks do not mix.
static void write_answer(int number) {
  // Whoever closed the pipe wants to read no more.
  if (!answers || number == SIGPIPE) return;
  const char *name = "";
  for (unsigned i = 0; i < stop_signal_count; i++)
    if (stop_signals[i].number == number) name = stop_signals[i].name;
  char line[sizeof answer_before + 16 + sizeof answer_behind];
  size_t length = 0;
  const char *parts[] = {answer_before, name, answer_behind};
  for (unsigned i = 0; i < 3; i++) {
    const size_t count = strlen(parts[i]);
    memcpy(line + length, parts[i], count);
    length += count;
  }
  const int code = errno;
  // Nothing can be done where nobody reads it.
  if (write(STDERR_FILENO, line, length) < 0) length = 0;
  errno = code;
}

static void note(int number) {
  if (stop_signal != 0) return;
  stop_signal = number;
  write_answer(number);
}

static void leave(int number) {
  write_answer(number);
  _exit(exit_code);
}

// All stop signals are blocked while one is handled. System calls under way go on.
static void handle_stop_signals(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (unsigned i = 0; i < stop_signal_count; i++) sigaddset(&action.sa_mask, stop_signals[i].number);
  for (unsigned i = 0; i < stop_signal_count; i++) {
    const int number = stop_signals[i].number;
    struct sigaction before;
    sigaction(number, NULL, &before);
    // nohup: the end of the terminal is not the end of the job.
    if (number == SIGHUP && before.sa_handler == SIG_IGN) continue;
    // With nothing to save a closed pipe is an error of the write.
    if (number == SIGPIPE && handler == leave) continue;
    struct sigaction own = action;
    // The first SIGINT that is noted gives the second one its usual effect.
    if (number == SIGINT && handler == note) own.sa_flags |= SA_RESETHAND;
    sigaction(number, &own, NULL);
  }
  // Whoever started this process may have blocked them, and a new process inherits that.
  pthread_sigmask(SIG_UNBLOCK, &action.sa_mask, NULL);
}

void system_leave_on_stop_signals(int code, const char *answer) {
  exit_code = code;
  set_answer(answer, false);
  handle_stop_signals(leave);
  // A limit on the size of files is an error like a full disk, not the end of the job.
  signal(SIGXFSZ, SIG_IGN);
  if (stop_signal != 0) leave(stop_signal);
}

void system_note_stop_signals(const char *answer, bool on_new_line) {
  set_answer(answer, on_new_line);
  handle_stop_signals(note);
}

void system_ignore_stop_signals(void) {
  for (unsigned i = 0; i < stop_signal_count; i++) {
    const int number = stop_signals[i].number;
    signal(number, number == SIGINT || number == SIGTERM ? SIG_DFL : SIG_IGN);
  }
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

int system_start_session(
    const char *program, char *const arguments[], char *const environment[], int input, int output, int errors) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  // A new program inherits blocked and ignored signals.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execve(program, arguments, environment);
  _exit(127);
}

int system_signal_descriptor(void) {
  const int numbers[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2, SIGCHLD};
  sigset_t received;
  sigemptyset(&received);
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction before;
    sigaction(numbers[i], NULL, &before);
    if (numbers[i] == SIGHUP && before.sa_handler == SIG_IGN) continue;
    signal(numbers[i], SIG_DFL);
    sigaddset(&received, numbers[i]);
  }
  signal(SIGPIPE, SIG_IGN);
  sigprocmask(SIG_BLOCK, &received, NULL);
  return signalfd(-1, &received, SFD_CLOEXEC);
}

int system_next_signal(int descriptor) {
  struct signalfd_siginfo signal;
  return read(descriptor, &signal, sizeof signal) == sizeof signal ? (int)signal.ssi_signo : 0;
}
