// Instruction-set levels: what this CPU has, and which one a search uses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/isa_level.hpp"

namespace ff {

using Isa = IsaLevel;

std::string_view isa_name(Isa isa);

// Levels this CPU and operating system can run, lowest first; never empty.
const std::vector<Isa>& available_isas();

// The level named, or std::invalid_argument naming what is supported here.
Isa parse_isa(std::string_view name);

// The explicit request if there is one, else FASTFUNNEL_ISA, else the highest
// available level. The environment is read once per process.
Isa resolve_isa(std::optional<std::string_view> requested = std::nullopt);

}  // namespace ff
