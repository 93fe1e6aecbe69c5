#include "CProcessor.h"

#if !defined(__x86_64__)
#error "expected x86-64: the kernels are compiled for AVX2 and FMA"
#endif

#include <immintrin.h>

bool processor_runs_kernels(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool processor_has_avx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw");
}

void processor_flush_denormals(void) {
  // MXCSR bit 15 is flush-to-zero, bit 6 denormals-are-zero (Intel SDM volume 1, 10.2.3).
  _mm_setcsr(_mm_getcsr() | 0x8040);
}
