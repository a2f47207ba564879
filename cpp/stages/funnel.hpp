// A funnel: what each stage scores rows by, and how many it keeps.
#pragma once

#include <cstddef>
#include <vector>

#include "planes/segment.hpp"

namespace ff {

enum class Precision { f32, i8, b1 };
// Scores are cosines, inner products or negative squared distances: higher is better.
enum class Metric { cosine, inner_product, l2 };

struct Stage {
  std::size_t dims = 0;  // leading dims it reads
  Precision precision = Precision::f32;
  bool symmetric = false;  // b1 only: Hamming instead of the asymmetric score
  std::size_t keep = 0;    // rows it passes on; unused in the last stage, which keeps k

  bool operator==(const Stage&) const = default;
};

using Funnel = std::vector<Stage>;

// Throws std::invalid_argument if the funnel is empty, reads more than dim dims, if its dims shrink
// or its keeps grow, if a stage keeps fewer than k rows, or if signs are scanned beyond 32,767
// dims.
void validate(const Funnel& funnel, std::size_t dim, std::size_t k);

// Throws std::invalid_argument if a stage reads codes that the index does not keep.
void check_codes(const Funnel& funnel, const RowFormat& format);

// The planes its stages read.
PlaneNeeds plane_needs(const Funnel& funnel);

}  // namespace ff
