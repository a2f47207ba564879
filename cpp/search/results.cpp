#include "search/results.hpp"

#include <algorithm>
#include <limits>

namespace ff {

template <class Score>
void Results::write(std::size_t q, const Corpus& corpus, const std::vector<Row>& rows,
                    const std::vector<Score>& row_scores) const {
  struct Answer {
    Score score;
    std::int64_t id;
    bool operator<(const Answer& other) const {
      return score != other.score ? score > other.score : id < other.id;
    }
  };
  std::vector<Answer> answers;
  answers.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    answers.push_back({row_scores[i], corpus.id(rows[i])});
  const std::size_t found = std::min(k, answers.size());
  std::partial_sort(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(found),
                    answers.end());
  for (std::size_t i = 0; i < k; ++i) {
    ids[q * k + i] = i < found ? answers[i].id : -1;
    scores[q * k + i] =
        i < found ? static_cast<float>(answers[i].score) : -std::numeric_limits<float>::infinity();
  }
}

template void Results::write(std::size_t, const Corpus&, const std::vector<Row>&,
                             const std::vector<float>&) const;
template void Results::write(std::size_t, const Corpus&, const std::vector<Row>&,
                             const std::vector<double>&) const;

}  // namespace ff
