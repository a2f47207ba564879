// The instruction-set levels, alone, so that kernel units need not include the STL.
#pragma once

namespace ff {

// In increasing order of preference; every level includes the ones before it.
enum class IsaLevel : int { scalar = 0, avx2 = 1, avx512 = 2, avx512_vpopcntdq = 3 };

}  // namespace ff
