#include "stages/rescore_floats.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "arrays/float_rows.hpp"
#include "arrays/row_file.hpp"
#include "stages/metric.hpp"
#include "stages/rescore_runs.hpp"

namespace ff {
namespace {

// Sums of squares outside these have lost digits or values to float32's range.
constexpr float kSmallestSquares = 1e-25F;
constexpr float kLargestSquares = 1e37F;

constexpr std::size_t kGatherBytes = std::size_t{256} << 10;  // from a file: they stay in L2

// Dims [begin, end), and where their products with the query and their squares are added.
struct Part {
  const float* query;
  std::size_t begin, end;
};

// Rows in memory: data + ids[i] * row_stride, in each one the dims of the part.
void add_in_memory(const MatrixView& rows, const Part& part, const std::uint32_t* ids,
                   std::size_t n, const Kernels& kernels, float* dots, float* squares) {
  const auto add = [&](auto* rescore) {
    rescore(part.query, rows.data, rows.row_stride, ids, n, part.begin, part.end, dots, squares);
  };
  switch (rows.element) {
    case Element::f32:
      return add(kernels.inner_product.rescore);
    case Element::f16:
      return add(kernels.half_rows.rescore_f16);
    case Element::bf16:
      return add(kernels.half_rows.rescore_bf16);
    case Element::f64:
    case Element::i8: {
      FloatRows reader(rows, kernels);
      const std::uint32_t first = 0;
      for (std::size_t i = 0; i < n; ++i)
        kernels.inner_product.rescore(part.query, reader.row(ids[i], part.end), 0, &first, 1,
                                      part.begin, part.end, dots + i, squares + i);
    }
  }
}

// Rows in a file: no more of each than the part, some hundreds at a time.
void add_from_file(const MatrixView& rows, const Part& part, const std::vector<std::uint32_t>& ids,
                   const Kernels& kernels, float* dots, float* squares) {
  const std::size_t bytes = (part.end - part.begin) * element_bytes(rows.element);
  const std::size_t skipped = part.begin * element_bytes(rows.element);
  if (bytes == 0) return;
  const std::size_t at_once = std::max<std::size_t>(1, kGatherBytes / bytes);
  std::vector<std::byte> gathered(std::min(at_once, ids.size()) * bytes);
  const MatrixView here = {gathered.data(), rows.element, at_once, part.end - part.begin,
                           static_cast<std::ptrdiff_t>(bytes)};
  std::vector<std::uint32_t> places(std::min(at_once, ids.size()));
  std::iota(places.begin(), places.end(), 0U);
  std::vector<std::uint64_t> offsets;
  for (std::size_t first = 0; first < ids.size(); first += at_once) {
    const std::size_t count = std::min(at_once, ids.size() - first);
    offsets.clear();
    for (std::size_t i = first; i < first + count; ++i)
      offsets.push_back(rows.offset_of(ids[i]) + skipped);
    rows.file->gather(offsets, bytes, gathered.data());
    add_in_memory(here, {part.query + part.begin, 0, here.dim}, places.data(), count, kernels,
                  dots + first, squares + first);
  }
}

}  // namespace

void score_floats(const Corpus& corpus, const Stage& stage, const float* query,
                  const Kernels& kernels, Shortlist& list) {
  if (list.carried != Precision::f32 || list.carried_dims == 0) {
    list.carried = Precision::f32;
    list.carried_dims = 0;
    list.dots.assign(list.size(), 0.0F);
    list.squares.assign(list.size(), 0.0F);
  }
  const Float64Scores in_float64(Metric::cosine, query, stage.dims, kernels);
  const auto length = static_cast<float>(in_float64.query_length());
  const Part part = {query, list.carried_dims, stage.dims};
  for_runs(corpus, list, [&](const Segment& segment, std::size_t begin, const auto& local) {
    float* dots = list.dots.data() + begin;
    float* squares = list.squares.data() + begin;
    if (segment.rows().file != nullptr)
      add_from_file(segment.rows(), part, local, kernels, dots, squares);
    else
      add_in_memory(segment.rows(), part, local.data(), local.size(), kernels, dots, squares);
    for (std::size_t i = 0; i < local.size(); ++i) {
      const bool in_range = squares[i] > kSmallestSquares && squares[i] < kLargestSquares;
      float& score = list.scores[begin + i];
      score = in_range && length > 0 ? dots[i] / (length * std::sqrt(squares[i]))
                                     : static_cast<float>(in_float64(segment.rows(), local[i]));
      if (std::isnan(squares[i]) || !std::isfinite(score))
        throw std::invalid_argument("vectors must be finite, got nan or inf in the row with id " +
                                    std::to_string(segment.id(local[i])));
    }
  });
  list.carried_dims = stage.dims;
}

}  // namespace ff
