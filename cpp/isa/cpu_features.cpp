#include "isa/cpu_features.hpp"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define FASTFUNNEL_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__)
#define FASTFUNNEL_AARCH64 1
#if defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

namespace ff {

#if defined(FASTFUNNEL_X86)
namespace {

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers r;
#if defined(_MSC_VER)
  int out[4];
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<std::uint32_t>(out[0]), static_cast<std::uint32_t>(out[1]),
       static_cast<std::uint32_t>(out[2]), static_cast<std::uint32_t>(out[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

// XCR0: the register state that the operating system saves on a switch.
std::uint64_t xcr0() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
#endif
}

bool bit(std::uint32_t word, int position) { return (word >> position) & 1U; }

}  // namespace

CpuFeatures detect_cpu_features() {
  CpuFeatures f;
  if (cpuid(0, 0).eax < 7) return f;
  const Registers one = cpuid(1, 0);
  f.popcnt = bit(one.ecx, 23);
  if (!bit(one.ecx, 27)) return f;  // OSXSAVE: without it XGETBV faults
  const std::uint64_t state = xcr0();
  const bool ymm_saved = (state & 0x06) == 0x06;
  const bool zmm_saved = (state & 0xe6) == 0xe6;
  const Registers seven = cpuid(7, 0);
  if (ymm_saved && bit(one.ecx, 28)) {
    f.fma = bit(one.ecx, 12);
    f.f16c = bit(one.ecx, 29);
    f.bmi = bit(seven.ebx, 3);
    f.bmi2 = bit(seven.ebx, 8);
    f.avx2 = bit(seven.ebx, 5);
  }
  if (zmm_saved && f.avx2) {
    f.avx512f = bit(seven.ebx, 16);
    f.avx512dq = bit(seven.ebx, 17);
    f.avx512bw = bit(seven.ebx, 30);
    f.avx512vl = bit(seven.ebx, 31);
    f.avx512_vbmi = bit(seven.ecx, 1);
    f.avx512_vnni = bit(seven.ecx, 11);
    f.avx512_bitalg = bit(seven.ecx, 12);
    f.avx512_vpopcntdq = bit(seven.ecx, 14);
  }
  return f;
}

#elif defined(FASTFUNNEL_AARCH64)
namespace {

bool has_dotprod() {
#if defined(__APPLE__)
  int has = 0;
  std::size_t size = sizeof has;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, nullptr, 0) == 0 && has != 0;
#elif defined(__linux__)
  constexpr unsigned long kAsimdDp = 1UL << 20;  // HWCAP_ASIMDDP of <asm/hwcap.h>
  return (getauxval(AT_HWCAP) & kAsimdDp) != 0;
#else
  return false;
#endif
}

}  // namespace

CpuFeatures detect_cpu_features() {
  CpuFeatures f;
  f.neon = true;  // part of AArch64
  f.dotprod = has_dotprod();
  return f;
}

#else

CpuFeatures detect_cpu_features() { return {}; }

#endif

}  // namespace ff
