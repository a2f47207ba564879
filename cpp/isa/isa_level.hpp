// The instruction-set levels, alone, so that kernel units need not include the STL.
#pragma once

namespace ff {

// In increasing order of preference; every level includes the ones before it of its architecture:
// a machine has scalar and either those of x86-64 or those of AArch64.
enum class IsaLevel : int {
  scalar = 0,
  avx2 = 1,
  avx512 = 2,
  avx512_vnni = 3,
  avx512_vpopcntdq = 4,
  neon = 5,
  neon_dotprod = 6
};

inline constexpr int kIsaLevels = 7;

}  // namespace ff
