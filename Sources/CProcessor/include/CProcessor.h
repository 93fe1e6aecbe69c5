#ifndef LSTM_DIST_CPROCESSOR_H
#define LSTM_DIST_CPROCESSOR_H

#include <stdbool.h>

/// True where the processor and the operating system offer what the kernels are compiled for (AVX2 and FMA, with
/// their registers saved by the system). Swift has no run-time dispatch of SIMD code, so this runs first; it can
/// go when Swift can ask for processor features itself.
bool processor_runs_kernels(void);

/// True where the processor and the operating system offer AVX-512 F, VL, DQ and BW, for which the innermost loops are
/// compiled a second time.
bool processor_has_avx512(void);

/// Sets flush-to-zero and denormals-are-zero for the calling thread. Vanishing gradients make denormals, which many
/// processors compute in microcode, over ten times slower. Swift has no way to set MXCSR.
void processor_flush_denormals(void);

/// Asks for the cache line at an address, which need not be valid: it will be used soon. Swift has no such instruction.
static inline __attribute__((always_inline)) void processor_prefetch(const void *address) {
  __builtin_prefetch(address);
}

/// A vector of the kernels, a quarter of it, and the same in doubles.
typedef float processor_floats16 __attribute__((ext_vector_type(16)));
typedef float processor_floats4 __attribute__((ext_vector_type(4), aligned(4)));
typedef double processor_doubles4 __attribute__((ext_vector_type(4)));

/// Writes sixteen floats past the caches. Another thread may find them only after `processor_finish_streams`. Swift has
/// no such store.
/// - Precondition: the address is that of a cache line.
static inline __attribute__((always_inline)) void processor_stream(float *to, processor_floats16 values) {
  __builtin_nontemporal_store(values, (processor_floats16 *)to);
}

/// What was written past the caches comes before whatever the calling thread writes next.
static inline __attribute__((always_inline)) void processor_finish_streams(void) {
  __builtin_ia32_sfence();
}

/// Four floats as doubles: Swift calls a function for each.
static inline __attribute__((always_inline)) processor_doubles4 processor_doubles(const float *x) {
  return __builtin_convertvector(*(const processor_floats4 *)x, processor_doubles4);
}

#endif
