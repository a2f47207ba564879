// The k nearest codes by Hamming distance, exactly, ties by row number.
#pragma once

#include "search/funnel_search.hpp"

namespace ff {

// codes and queries have the same width. ids and distances are (queries.n_rows, k), row-major;
// missing answers are id -1, distance -1.
void hamming_search(const CodeView& codes, const CodeView& queries, std::size_t k,
                    const Kernels& kernels, unsigned n_threads, std::int64_t* ids,
                    std::int32_t* distances);

}  // namespace ff
