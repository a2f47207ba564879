// What changes an index. Each change is made ready first, then put in place where nothing can fail.
#include <stdexcept>

#include "index/index.hpp"
#include "index/row_values.hpp"

namespace ff {

void Index::check(const MatrixView& rows, const std::int64_t* ids, bool upsert,
                  const Kernels& kernels) const {
  check_finite(rows, format_.floats, kernels);
  const auto bad = IdMap::first_repeated(ids, rows.n_rows);
  if (bad)
    throw std::invalid_argument("ids must be unique, got " + std::to_string(*bad) + " twice");
  if (upsert) return;
  const std::shared_lock lock(lock_);
  if (const auto taken = state_->ids.first_taken(ids, rows.n_rows))
    throw std::invalid_argument("ids must be new, got " + std::to_string(*taken) +
                                " which is in the index; upsert replaces rows");
}

void Index::append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  Corpus& corpus = state_->corpus;
  const Row first = corpus.next_row();
  corpus.append(rows, ids, kernels);
  try {
    state_->ids.extend(first);
  } catch (...) {
    corpus.truncate(first);
    throw;
  }
  n_written_ += rows.n_rows;
}

void Index::add(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  const std::lock_guard changing(changing_);
  check(rows, ids, false, kernels);
  const std::unique_lock alone(lock_);
  append(rows, ids, kernels);
}

std::size_t Index::upsert(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  const std::lock_guard changing(changing_);
  check(rows, ids, true, kernels);
  const std::unique_lock alone(lock_);
  std::vector<Row> replaced;
  state_->ids.find_each(ids, rows.n_rows, [&](std::size_t, Row row) { replaced.push_back(row); });
  append(rows, ids, kernels);
  for (const Row row : replaced) state_->corpus.remove(row);
  return replaced.size();
}

std::size_t Index::remove(const std::int64_t* ids, std::size_t n) {
  const std::lock_guard changing(changing_);
  std::vector<std::pair<std::int64_t, Row>> found;  // while searches go on
  state_->ids.find_each(ids, n, [&](std::size_t i, Row row) { found.emplace_back(ids[i], row); });
  const std::unique_lock alone(lock_);
  std::size_t removed = 0;
  for (const auto& [id, row] : found) {
    if (!state_->corpus.remove(row)) continue;  // an id given twice
    state_->ids.erase(id);
    ++removed;
  }
  return removed;
}

std::size_t Index::compact(const Kernels& kernels, unsigned n_threads) {
  const std::lock_guard changing(changing_);
  std::unique_ptr<State> state;
  std::size_t dropped;
  {
    const std::shared_lock lock(lock_);
    const Corpus& corpus = state_->corpus;
    dropped = corpus.n_rows() - corpus.n_alive();
    if (dropped == 0) return 0;
    state = std::make_unique<State>(corpus.compacted(kernels, n_threads));
  }
  const std::unique_lock alone(lock_);
  state_.swap(state);
  return dropped;
}

void Index::replace(Index& other) {
  if (&other == this) return;
  auto state = std::make_unique<State>(Corpus(dim_, format_));
  {
    const std::lock_guard changing(other.changing_);
    const std::unique_lock alone(other.lock_);
    other.state_.swap(state);
  }
  const std::lock_guard changing(changing_);
  const std::unique_lock alone(lock_);
  if (!state->corpus.basis()) state->corpus.set_basis(state_->corpus.basis());
  state_.swap(state);
}

void Index::adopt(const MatrixView& rows, const std::int64_t* ids, const bool* alive,
                  const std::shared_ptr<const void>& keeper) {
  const std::lock_guard changing(changing_);
  std::vector<std::int64_t> living;
  for (std::size_t i = 0; i < rows.n_rows; ++i)
    if (alive == nullptr || alive[i]) living.push_back(ids[i]);
  auto taken = IdMap::first_repeated(living.data(), living.size());
  if (!taken) taken = state_->ids.first_taken(living.data(), living.size());
  if (taken)
    throw std::invalid_argument("ids must be new and unique, got " + std::to_string(*taken) +
                                " which is in the index or comes twice");
  const std::unique_lock alone(lock_);
  Corpus& corpus = state_->corpus;
  const auto first = static_cast<Row>(corpus.segments().size() * Segment::kMaxRows);
  corpus.adopt(rows, ids, keeper);
  for (std::size_t i = 0; alive != nullptr && i < rows.n_rows; ++i)
    if (!alive[i]) corpus.remove(first + static_cast<Row>(i));
  try {
    state_->ids.extend(first);
  } catch (...) {
    corpus.truncate(first);
    throw;
  }
  n_written_ += rows.n_rows;
}

void Index::seal() {
  const std::lock_guard changing(changing_);
  const std::unique_lock alone(lock_);
  state_->corpus.seal();
}

void Index::rebase(std::size_t segment, const MatrixView& rows,
                   std::shared_ptr<const void> keeper) {
  const std::lock_guard changing(changing_);
  const std::unique_lock alone(lock_);
  if (state_->segment(segment).n_rows() != rows.n_rows || rows.dim != dim_)
    throw std::invalid_argument("vectors must be the rows of the segment, got " +
                                std::to_string(rows.n_rows) + " rows");
  state_->corpus.rebase(segment, rows, std::move(keeper));
}

void Index::set_codes(std::size_t segment, StoredCodes codes) {
  const std::lock_guard changing(changing_);
  const std::unique_lock alone(lock_);
  if (state_->segment(segment).owns_rows())
    throw std::invalid_argument("rows of the segment must lie in a file, as its codes do");
  state_->corpus.set_codes(segment, std::move(codes));
}

}  // namespace ff
