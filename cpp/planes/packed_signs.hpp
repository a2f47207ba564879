// The sign bits of some rows, brought together so that a scan reads nothing else.
#pragma once

#include "planes/corpus.hpp"

namespace ff {

// Whether the sign bits of a row lie together (Segment::sign_rows), which makes packing cheap.
bool has_sign_rows(const Corpus& corpus);

// A corpus of codes whose row i is rows[i] of another one, which has a sign plane of at least
// n_slices slices.
Corpus pack_signs(const Corpus& corpus, const std::vector<Row>& rows, std::size_t n_slices,
                  unsigned n_threads);

}  // namespace ff
