#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "isa/cpu_features.hpp"
#include "support.hpp"

namespace ff::test {
namespace {

constexpr Isa kAllLevels[kIsaLevels] = {
    Isa::scalar,           Isa::avx2, Isa::avx512,      Isa::avx512_vnni,
    Isa::avx512_vpopcntdq, Isa::neon, Isa::neon_dotprod};
constexpr Isa kX86Levels[] = {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_vnni,
                              Isa::avx512_vpopcntdq};
constexpr Isa kArmLevels[] = {Isa::scalar, Isa::neon, Isa::neon_dotprod};

std::string message_of_parse(std::string_view name) {
  try {
    parse_isa(name);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

bool is_available(Isa level) {
  const auto& levels = available_isas();
  return std::find(levels.begin(), levels.end(), level) != levels.end();
}

template <std::size_t N>
bool is_prefix(const std::vector<Isa>& levels, const Isa (&all)[N]) {
  return levels.size() <= N && std::equal(levels.begin(), levels.end(), all);
}

#if defined(__GNUC__) && defined(__x86_64__)
TEST_CASE("the features found are the compiler's own") {
  const CpuFeatures f = detect_cpu_features();
  CHECK(f.popcnt == (__builtin_cpu_supports("popcnt") != 0));
  CHECK(f.bmi == (__builtin_cpu_supports("bmi") != 0));
  CHECK(f.fma == (__builtin_cpu_supports("fma") != 0));
  CHECK(f.avx2 == (__builtin_cpu_supports("avx2") != 0));
  CHECK(f.avx512f == (__builtin_cpu_supports("avx512f") != 0));
  CHECK(f.avx512bw == (__builtin_cpu_supports("avx512bw") != 0));
  CHECK(f.avx512vl == (__builtin_cpu_supports("avx512vl") != 0));
  CHECK(f.avx512dq == (__builtin_cpu_supports("avx512dq") != 0));
  CHECK(f.avx512_vpopcntdq == (__builtin_cpu_supports("avx512vpopcntdq") != 0));
  CHECK(f.avx512_bitalg == (__builtin_cpu_supports("avx512bitalg") != 0));
  CHECK(f.avx512_vnni == (__builtin_cpu_supports("avx512vnni") != 0));
  CHECK(f.avx512_vbmi == (__builtin_cpu_supports("avx512vbmi") != 0));
  CHECK(f.bmi2 == (__builtin_cpu_supports("bmi2") != 0));
}
#endif

TEST_CASE("levels start at scalar and include all below them") {
  const auto& levels = available_isas();
  REQUIRE(!levels.empty());
  CHECK((is_prefix(levels, kX86Levels) || is_prefix(levels, kArmLevels)));
}

TEST_CASE("a level needs every feature its kernels are compiled for") {
  const CpuFeatures f = detect_cpu_features();
  const bool avx2 = f.avx2 && f.fma && f.f16c && f.popcnt && f.bmi;
  const bool avx512 = avx2 && f.avx512f && f.avx512bw && f.avx512vl && f.avx512dq;
  CHECK(is_available(Isa::avx2) == avx2);
  CHECK(is_available(Isa::avx512) == avx512);
  const bool vnni = avx512 && f.avx512_vnni;
  CHECK(is_available(Isa::avx512_vnni) == vnni);
  CHECK(is_available(Isa::avx512_vpopcntdq) ==
        (vnni && f.avx512_vpopcntdq && f.avx512_bitalg && f.avx512_vbmi && f.bmi2));
  CHECK(is_available(Isa::neon) == f.neon);
  CHECK(is_available(Isa::neon_dotprod) == (f.neon && f.dotprod));
}

TEST_CASE("names") {
  CHECK(isa_name(Isa::scalar) == "scalar");
  CHECK(isa_name(Isa::avx2) == "avx2");
  CHECK(isa_name(Isa::avx512) == "avx512");
  CHECK(isa_name(Isa::avx512_vnni) == "avx512_vnni");
  CHECK(isa_name(Isa::avx512_vpopcntdq) == "avx512_vpopcntdq");
  CHECK(isa_name(Isa::neon) == "neon");
  CHECK(isa_name(Isa::neon_dotprod) == "neon_dotprod");
}

TEST_CASE("parsing takes the names of available levels and no others") {
  for (Isa level : kAllLevels) {
    if (is_available(level)) {
      CHECK(parse_isa(isa_name(level)) == level);
      CHECK(resolve_isa(isa_name(level)) == level);
    } else {
      CHECK_THROWS_AS(parse_isa(isa_name(level)), std::invalid_argument);
      CHECK_THROWS_AS(resolve_isa(isa_name(level)), std::invalid_argument);
    }
  }
  for (std::string_view name : {"", "AVX2", "avx2 ", "sse2", "avx51"})
    CHECK_THROWS_AS(parse_isa(name), std::invalid_argument);
}

TEST_CASE("the error names what was asked and what there is") {
  const std::string message = message_of_parse("sse9");
  CHECK(message.find("'sse9'") != std::string::npos);
  for (Isa level : available_isas()) CHECK(message.find(isa_name(level)) != std::string::npos);
}

TEST_CASE("the default is FASTFUNNEL_ISA, else the highest level") {
  const char* forced = std::getenv("FASTFUNNEL_ISA");
  if (forced != nullptr && *forced != '\0')
    CHECK(resolve_isa() == parse_isa(forced));
  else
    CHECK(resolve_isa() == available_isas().back());
}

// Continuous integration sets it, so that a runner which silently lost a level fails.
TEST_CASE("the level FASTFUNNEL_REQUIRE_ISA names is available") {
  const char* required = std::getenv("FASTFUNNEL_REQUIRE_ISA");
  if (required == nullptr || *required == '\0') return;
  CHECK_MESSAGE(message_of_parse(required).empty(), message_of_parse(required));
}

TEST_CASE("every level gets its best tables, none above it") {
  for (Isa level : kAllLevels) {
    const Kernels& k = kernels_for(level);
    for (Isa used :
         {k.inner_product.isa, k.hamming.isa, k.sign_scan.isa, k.bit_dot.isa, k.int8_dot.isa,
          k.encode.isa, k.block_bound.isa, k.half_rows.isa, k.float64_dot.isa})
      CHECK(used <= level);
  }
#if defined(__x86_64__)
  CHECK(kernels_for(Isa::avx2).encode.isa == Isa::avx2);
  const Kernels& avx512 = kernels_for(Isa::avx512);
  for (Isa used :
       {avx512.inner_product.isa, avx512.hamming.isa, avx512.sign_scan.isa, avx512.bit_dot.isa,
        avx512.int8_dot.isa, avx512.half_rows.isa, avx512.float64_dot.isa})
    CHECK(used == Isa::avx512);
  const Kernels& vnni = kernels_for(Isa::avx512_vnni);
  for (Isa used : {vnni.bit_dot.isa, vnni.int8_dot.isa, vnni.block_bound.isa})
    CHECK(used == Isa::avx512_vnni);
  const Kernels& vpopcntdq = kernels_for(Isa::avx512_vpopcntdq);
  for (Isa used : {vpopcntdq.hamming.isa, vpopcntdq.sign_scan.isa})
    CHECK(used == Isa::avx512_vpopcntdq);
#elif defined(__aarch64__)
  const Kernels& neon = kernels_for(Isa::neon);
  for (Isa used : {neon.inner_product.isa, neon.hamming.isa, neon.sign_scan.isa, neon.bit_dot.isa,
                   neon.int8_dot.isa, neon.encode.isa, neon.block_bound.isa})
    CHECK(used == Isa::neon);
  const Kernels& dotprod = kernels_for(Isa::neon_dotprod);
  for (Isa used : {dotprod.bit_dot.isa, dotprod.int8_dot.isa, dotprod.block_bound.isa})
    CHECK(used == Isa::neon_dotprod);
#endif
}

}  // namespace
}  // namespace ff::test
