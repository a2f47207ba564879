#include "index/row_values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>

#include "arrays/float_rows.hpp"
#include "arrays/row_file.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

constexpr std::size_t kRowsAtOnce = 256;  // between two looks at interrupts

constexpr std::uint32_t kMagnitude = 0x7fffffff;

// The bits of the smallest magnitude that is not finite when it is rounded so.
std::uint32_t limit_of(Element as) {
  if (as == Element::f16) return 0x477ff000;   // 65520
  if (as == Element::bf16) return 0x7f7f8000;  // halfway from the largest to 2^128
  return 0x7f800000;
}

}  // namespace

void check_finite(const MatrixView& rows, Element as, const Kernels& kernels) {
  const std::uint32_t limit = limit_of(as);
  FloatRows reader(rows, kernels);
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    if (i % kRowsAtOnce == 0) check_interrupt();
    const float* row = reader.row(i);
    std::uint32_t bad = 0;
    for (std::size_t d = 0; d < rows.dim; ++d)
      bad |=
          static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(row[d]) & kMagnitude) >= limit);
    if (bad == 0) continue;
    for (std::size_t d = 0; d < rows.dim; ++d)
      if (!std::isfinite(row[d]))
        throw std::invalid_argument("vectors must be finite, got nan or inf in row " +
                                    std::to_string(i));
    throw std::invalid_argument("vectors must lie within " +
                                std::string(as == Element::f16
                                                ? "±65504 with float_dtype 'f16'"
                                                : "±3.38e38 with float_dtype 'bf16'") +
                                ", got more in row " + std::to_string(i));
  }
}

void copy_floats(const Corpus& corpus, const std::vector<Row>& rows, const Kernels& kernels,
                 float* out) {
  const std::size_t dim = corpus.dim();
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return rows[a] < rows[b]; });
  std::vector<std::byte> gathered;
  std::vector<std::uint64_t> offsets;
  for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
    check_interrupt();
    const Segment& segment = corpus.segment_of(rows[order[begin]]);
    MatrixView some = segment.rows();
    const auto local = [&](std::size_t i) { return rows[order[i]] % Segment::kMaxRows; };
    for (end = begin; end < order.size() && end < begin + kRowsAtOnce &&
                      &corpus.segment_of(rows[order[end]]) == &segment;)
      ++end;
    if (some.file != nullptr) {
      offsets.clear();
      for (std::size_t i = begin; i < end; ++i) offsets.push_back(some.offset_of(local(i)));
      gathered.resize((end - begin) * static_cast<std::size_t>(some.row_stride));
      some.file->gather(offsets, static_cast<std::size_t>(some.row_stride), gathered.data());
      some.file = nullptr;
      some.data = gathered.data();
    }
    FloatRows reader(some, kernels);
    const bool is_gathered = some.data == gathered.data() && !gathered.empty();
    for (std::size_t i = begin; i < end; ++i)
      std::memcpy(out + order[i] * dim, reader.row(is_gathered ? i - begin : local(i)),
                  dim * sizeof(float));
  }
}

void copy_rows(const MatrixView& rows, std::size_t first, std::size_t count, Element as,
               const Kernels& kernels, std::byte* out) {
  const std::size_t row_bytes = rows.dim * element_bytes(as);
  if (rows.file != nullptr && rows.element == as) {
    rows.file->read(rows.offset_of(first), count * row_bytes, out);
    return;
  }
  FloatRows reader(rows, kernels);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % kRowsAtOnce == 0) check_interrupt();
    if (rows.element == as)
      std::memcpy(out + i * row_bytes, rows.row(first + i), row_bytes);
    else  // adopted rows of another element
      narrow(reader.row(first + i), rows.dim, as, kernels, out + i * row_bytes);
  }
}

}  // namespace ff
