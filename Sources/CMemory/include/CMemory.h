#ifndef LSTM_DIST_CMEMORY_H
#define LSTM_DIST_CMEMORY_H

/// From now on an allocation that fails names this rank, 0-based; the others are given time to say it first.
///
/// A program with this module ends with exit code 70 and one line on stderr where the C library has no memory to give:
/// Swift's own allocations would end it with a trap and a page of registers, those of libraries with whatever comes.
void memory_name_rank(int rank, int size);

#endif
