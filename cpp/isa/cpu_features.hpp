// What the processor can do and the system lets it: CPUID and XGETBV on x86-64, what the system
// tells on AArch64.
#pragma once

namespace ff {

// One flag per feature that a kernel translation unit is compiled for. The
// compiler flags of each level are listed beside these bits in
// cpp/CMakeLists.txt; keep the two lists equal.
struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
  bool f16c = false;
  bool popcnt = false;
  bool bmi = false;
  bool bmi2 = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512vl = false;
  bool avx512dq = false;
  bool avx512_vpopcntdq = false;
  bool avx512_bitalg = false;
  bool avx512_vnni = false;
  bool avx512_vbmi = false;
  bool neon = false;
  bool dotprod = false;
};

CpuFeatures detect_cpu_features();

}  // namespace ff
