// What CPUID says the processor can do and XGETBV says the system saves.
#pragma once

namespace ff {

// One flag per CPUID bit that a kernel translation unit is compiled for. The
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
};

CpuFeatures detect_cpu_features();

}  // namespace ff
