#include "kernels/dispatch.hpp"

#include <array>

namespace ff {

// Each translation unit exports its table and nothing else.
extern const InnerProductKernels kInnerProductScalar;
extern const HammingKernels kHammingScalar;
extern const SignScanKernels kSignScanScalar;
extern const BitDotKernels kBitDotScalar;
extern const Int8DotKernels kInt8DotScalar;
extern const EncodeKernels kEncodeScalar;
extern const BlockBoundKernels kBlockBoundScalar;
extern const HalfRowKernels kHalfRowsScalar;
extern const Float64DotKernels kFloat64DotScalar;
#if defined(FASTFUNNEL_X86_KERNELS)
extern const InnerProductKernels kInnerProductAvx2;
extern const InnerProductKernels kInnerProductAvx512;
extern const HammingKernels kHammingAvx2;
extern const HammingKernels kHammingAvx512;
extern const HammingKernels kHammingAvx512Vpopcntdq;
extern const SignScanKernels kSignScanAvx2;
extern const SignScanKernels kSignScanAvx512;
extern const SignScanKernels kSignScanAvx512Vbmi;
extern const BitDotKernels kBitDotAvx2;
extern const BitDotKernels kBitDotAvx512;
extern const BitDotKernels kBitDotAvx512Vnni;
extern const Int8DotKernels kInt8DotAvx2;
extern const Int8DotKernels kInt8DotAvx512;
extern const Int8DotKernels kInt8DotAvx512Vnni;
extern const EncodeKernels kEncodeAvx2;
extern const BlockBoundKernels kBlockBoundAvx2;
extern const BlockBoundKernels kBlockBoundAvx512Vnni;
extern const HalfRowKernels kHalfRowsAvx2;
extern const HalfRowKernels kHalfRowsAvx512;
extern const Float64DotKernels kFloat64DotAvx2;
extern const Float64DotKernels kFloat64DotAvx512;
#elif defined(FASTFUNNEL_NEON_KERNELS)
extern const InnerProductKernels kInnerProductNeon;
extern const HammingKernels kHammingNeon;
extern const SignScanKernels kSignScanNeon;
extern const BitDotKernels kBitDotNeon;
extern const BitDotKernels kBitDotNeonDotprod;
extern const Int8DotKernels kInt8DotNeon;
extern const Int8DotKernels kInt8DotNeonDotprod;
extern const EncodeKernels kEncodeNeon;
extern const BlockBoundKernels kBlockBoundNeon;
extern const BlockBoundKernels kBlockBoundNeonDotprod;
extern const Float64DotKernels kFloat64DotNeon;
#endif

namespace {

#if defined(FASTFUNNEL_X86_KERNELS)
constexpr std::array kInnerProduct = {&kInnerProductScalar, &kInnerProductAvx2,
                                      &kInnerProductAvx512};
constexpr std::array kHamming = {&kHammingScalar, &kHammingAvx2, &kHammingAvx512,
                                 &kHammingAvx512Vpopcntdq};
constexpr std::array kSignScan = {&kSignScanScalar, &kSignScanAvx2, &kSignScanAvx512,
                                  &kSignScanAvx512Vbmi};
constexpr std::array kBitDot = {&kBitDotScalar, &kBitDotAvx2, &kBitDotAvx512, &kBitDotAvx512Vnni};
constexpr std::array kInt8Dot = {&kInt8DotScalar, &kInt8DotAvx2, &kInt8DotAvx512,
                                 &kInt8DotAvx512Vnni};
constexpr std::array kEncode = {&kEncodeScalar, &kEncodeAvx2};
constexpr std::array kBlockBound = {&kBlockBoundScalar, &kBlockBoundAvx2, &kBlockBoundAvx512Vnni};
constexpr std::array kHalfRows = {&kHalfRowsScalar, &kHalfRowsAvx2, &kHalfRowsAvx512};
constexpr std::array kFloat64Dot = {&kFloat64DotScalar, &kFloat64DotAvx2, &kFloat64DotAvx512};
#elif defined(FASTFUNNEL_NEON_KERNELS)
constexpr std::array kInnerProduct = {&kInnerProductScalar, &kInnerProductNeon};
constexpr std::array kHamming = {&kHammingScalar, &kHammingNeon};
constexpr std::array kSignScan = {&kSignScanScalar, &kSignScanNeon};
constexpr std::array kBitDot = {&kBitDotScalar, &kBitDotNeon, &kBitDotNeonDotprod};
constexpr std::array kInt8Dot = {&kInt8DotScalar, &kInt8DotNeon, &kInt8DotNeonDotprod};
constexpr std::array kEncode = {&kEncodeScalar, &kEncodeNeon};
constexpr std::array kBlockBound = {&kBlockBoundScalar, &kBlockBoundNeon, &kBlockBoundNeonDotprod};
constexpr std::array kHalfRows = {&kHalfRowsScalar};
constexpr std::array kFloat64Dot = {&kFloat64DotScalar, &kFloat64DotNeon};
#else
constexpr std::array kInnerProduct = {&kInnerProductScalar};
constexpr std::array kHamming = {&kHammingScalar};
constexpr std::array kSignScan = {&kSignScanScalar};
constexpr std::array kBitDot = {&kBitDotScalar};
constexpr std::array kInt8Dot = {&kInt8DotScalar};
constexpr std::array kEncode = {&kEncodeScalar};
constexpr std::array kBlockBound = {&kBlockBoundScalar};
constexpr std::array kHalfRows = {&kHalfRowsScalar};
constexpr std::array kFloat64Dot = {&kFloat64DotScalar};
#endif

// Tables are listed lowest level first.
template <class Table, std::size_t N>
const Table& best(const std::array<const Table*, N>& tables, Isa isa) {
  const Table* chosen = tables.front();
  for (const Table* table : tables)
    if (table->isa <= isa) chosen = table;
  return *chosen;
}

Kernels select(Isa isa) {
  return {best(kInnerProduct, isa), best(kHamming, isa),  best(kSignScan, isa),
          best(kBitDot, isa),       best(kInt8Dot, isa),  best(kEncode, isa),
          best(kBlockBound, isa),   best(kHalfRows, isa), best(kFloat64Dot, isa)};
}

}  // namespace

const Kernels& kernels_for(Isa isa) {
  static const std::array<Kernels, kIsaLevels> by_level = {
      select(Isa::scalar),           select(Isa::avx2),
      select(Isa::avx512),           select(Isa::avx512_vnni),
      select(Isa::avx512_vpopcntdq), select(Isa::neon),
      select(Isa::neon_dotprod)};
  return by_level[static_cast<std::size_t>(isa)];
}

}  // namespace ff
