// A first stage over int8 or float rows.
#pragma once

#include "stages/scan.hpp"

namespace ff {

// As scan(), for stages of precision i8 and f32. Needs the norms of the stage's dims, and the int8
// rows for i8.
std::vector<Shortlist> scan_floats(const ScanRequest& request, const Queries& queries,
                                   std::span<const BlockRun> blocks);

}  // namespace ff
