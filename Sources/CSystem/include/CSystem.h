#ifndef LSTM_DIST_CSYSTEM_H
#define LSTM_DIST_CSYSTEM_H

#include <stdbool.h>

/// From now on SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 are only noted. A second SIGINT ends the process as it would have
/// without this call. In C, because a handler may not run what Swift may run at any access to a global variable.
void system_note_stop_signals(void);

/// The first signal that was noted, or 0.
int system_stop_signal(void);

/// Makes the system kill this process when its parent dies, and kills it now if the parent has died already. Swift
/// cannot call prctl, which takes any number of arguments.
void system_end_with_parent(void);

/// Starts to write a file's changed pages to the disk and does not wait for it. Not among the names that Swift imports.
void system_start_writing(int descriptor);

#endif
