#ifndef LSTM_DIST_CSYSTEM_H
#define LSTM_DIST_CSYSTEM_H

#include <stdbool.h>

/// From now on each stop signal (SIGTERM, SIGINT, SIGHUP unless it is ignored, SIGXCPU, SIGUSR1, SIGUSR2) ends this
/// process at once with this exit code, and so does one that was noted before; after an answer on stderr: the signal's
/// name and this text of at most 127 bytes, NULL for none. A file that would exceed a limit on its size gives an error,
/// and no signal. In C, because a handler may not run what Swift may run at any access to a global variable.
void system_leave_on_stop_signals(int exit_code, const char *answer);

/// From now on the stop signals and SIGPIPE are noted, and the first one is answered in the same way, but for SIGPIPE;
/// a second SIGINT ends the process.
void system_note_stop_signals(const char *answer, bool on_new_line);

/// From now on SIGINT and SIGTERM end the process, and the other stop signals have no effect.
void system_ignore_stop_signals(void);

/// The first signal that was noted, or 0.
int system_stop_signal(void);

/// Makes the system kill this process when its parent dies, and kills it now if the parent has died already. Swift
/// cannot call prctl, which takes any number of arguments.
void system_end_with_parent(void);

/// Starts to write a file's changed pages to the disk and does not wait for it. Not among the names that Swift imports.
void system_start_writing(int descriptor);

/// Lets later reads at multiples of 4096 bytes into memory at such addresses pass by the system's own copy of the file,
/// where the file system can do that; 0 where it cannot. Not all constants are among the names that Swift imports.
int system_bypass_cache(int descriptor);

/// Undoes `system_bypass_cache`.
void system_use_cache(int descriptor);

/// A new file without a name in memory, which goes with its last descriptor and mapping; −1 as errno says. Not among the
/// names that Swift imports.
int system_memory_file(void);

/// The name of this machine, in memory of the calling thread; "unknown" where it has none.
const char *system_host_name(void);

/// Lets the calling thread run wherever the parent process may: a launcher binds a rank with all its threads to one
/// core, but the job may have an idle one. Where the system refuses, all stays as it is. In C, for the sake of
/// cpu_set_t.
void system_use_processors_of_parent(void);

/// Starts a program in a session of its own, which the system kills when this process ends, with three descriptors as
/// its standard input, output and error: its process id, or −1 as errno says. It ends with 127 where it cannot be run.
/// In C, because between fork and exec nothing of Swift's may run.
int system_start_session(
    const char *program, char *const arguments[], char *const environment[], int input, int output, int errors);

/// From now on SIGINT, SIGTERM, SIGQUIT, SIGHUP (unless it is ignored, as by nohup), SIGXCPU, SIGUSR1, SIGUSR2 and SIGCHLD
/// have no effect but to make this descriptor readable; −1 as errno says. SIGPIPE is ignored. signalfd is not among the
/// names that Swift imports.
int system_signal_descriptor(void);

/// The next signal of such a descriptor, which must be readable.
int system_next_signal(int descriptor);

#endif
