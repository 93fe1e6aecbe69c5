#ifndef LSTM_DIST_CALLOCATIONS_H
#define LSTM_DIST_CALLOCATIONS_H

/// Heap allocations that the calling thread has made. This target replaces malloc and its relatives in the program that
/// links it, which glibc allows ("Replacing malloc" in its manual).
long allocation_count(void);

/// Those of them that were asked for by the program or by Swift's libraries: not by MPI for its messages.
long own_allocation_count(void);

#endif
