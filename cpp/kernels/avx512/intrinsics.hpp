// <immintrin.h> without false alarms: GCC 12 takes the deliberately undefined registers of its own
// AVX-512 header for uninitialized variables of ours (GCC bug 105593).
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace ff {
namespace {

// Keeps a sum in its register at this point of the program. Without it gcc 12 moves all look-ups of
// an unrolled loop before their additions and spills them (the sign scan took 2.3 times as long).
inline void pin([[maybe_unused]] __m512i& sum) {
#if defined(__GNUC__) && defined(__AVX512F__)
  asm("" : "+v"(sum));
#endif
}

}  // namespace
}  // namespace ff
