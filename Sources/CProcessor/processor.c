#include "CProcessor.h"

#if defined(__x86_64__)

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

#elif defined(__aarch64__)

#include <stdint.h>

bool processor_runs_kernels(void) { return true; }

bool processor_has_avx512(void) { return false; }

void processor_flush_denormals(void) {
  // FPCR bit 24 is FZ: it covers inputs and results (Arm ARM, C5.2.8).
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (1u << 24)));
}

#else
#error "lstm-dist runs on x86-64 and arm64"
#endif
