// A first stage over sign bits.
#pragma once

#include "stages/scan.hpp"
#include "stages/sign_queries.hpp"

namespace ff {

// As scan(), for stages of precision b1. Needs the sign plane.
std::vector<Shortlist> scan_signs(const ScanRequest& request, const Queries& queries,
                                  std::span<const BlockRun> blocks);

// Rows and integer scores of one query that passed its threshold so far.
struct SignSurvivors {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint16_t> scores;
  std::size_t count = 0;
};

// The scan below all b1 searches: for each query the top `keep` of the rows by (score, lower row),
// ascending by row. The lists belong to the calling thread and hold until its next scan: fresh ones
// would cost more in page faults than selecting does.
std::span<const SignSurvivors> scan_signs(const ScanRequest& request, const SignQueries& queries,
                                          std::span<const BlockRun> blocks);

}  // namespace ff
