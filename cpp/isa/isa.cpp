#include "isa/isa.hpp"

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "isa/cpu_features.hpp"

namespace ff {
namespace {

constexpr std::array<std::string_view, kIsaLevels> kNames = {
    "scalar", "avx2", "avx512", "avx512_vnni", "avx512_vpopcntdq", "neon", "neon_dotprod"};

std::vector<Isa> detect_levels() {
  const CpuFeatures f = detect_cpu_features();
  std::vector<Isa> levels = {Isa::scalar};
  if (f.neon) levels.push_back(Isa::neon);
  if (f.neon && f.dotprod) levels.push_back(Isa::neon_dotprod);
  if (!(f.avx2 && f.fma && f.f16c && f.popcnt && f.bmi)) return levels;
  levels.push_back(Isa::avx2);
  if (!(f.avx512f && f.avx512bw && f.avx512vl && f.avx512dq)) return levels;
  levels.push_back(Isa::avx512);
  if (!f.avx512_vnni) return levels;
  levels.push_back(Isa::avx512_vnni);
  if (!(f.avx512_vpopcntdq && f.avx512_bitalg && f.avx512_vbmi && f.bmi2)) return levels;
  levels.push_back(Isa::avx512_vpopcntdq);
  return levels;
}

std::string supported_names() {
  std::string names;
  for (Isa isa : available_isas()) {
    if (!names.empty()) names += ", ";
    names += isa_name(isa);
  }
  return names;
}

Isa default_isa() {
  // FASTFUNNEL_ISA names a level for the whole process; unset or empty means the best one.
  const char* forced = std::getenv("FASTFUNNEL_ISA");
  if (forced == nullptr || *forced == '\0') return available_isas().back();
  return parse_isa(forced);
}

}  // namespace

std::string_view isa_name(Isa isa) { return kNames[static_cast<std::size_t>(isa)]; }

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> levels = detect_levels();
  return levels;
}

Isa parse_isa(std::string_view name) {
  for (Isa isa : available_isas())
    if (name == isa_name(isa)) return isa;
  throw std::invalid_argument("isa must be one this machine supports (" + supported_names() +
                              "), got '" + std::string(name) + "'");
}

Isa resolve_isa(std::optional<std::string_view> requested) {
  if (requested) return parse_isa(*requested);
  static const Isa by_default = default_isa();
  return by_default;
}

}  // namespace ff
