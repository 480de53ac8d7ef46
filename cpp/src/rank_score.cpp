#include "steelyard/rank_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "steelyard/distribution.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

struct Answer {
  double value;
  double weight;
  Eigen::Index row;
};

std::vector<Answer> answers(const Design& design, const Domains& domains, const Column& y) {
  std::vector<Answer> result;
  std::vector<double> room(static_cast<std::size_t>(kBlockRows));
  std::vector<double> weight_room(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < design.rows(); begin += kBlockRows) {
    const RowBlock rows = domains.block(begin, std::min(kBlockRows, design.rows() - begin));
    const double* value = y.read(begin, rows.count, room.data());
    const double* weight = design.weights(begin, rows.count, weight_room.data());
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      if (rows.domain_of(i) >= 0 && weight[i] > 0 && !std::isnan(value[i])) {
        result.push_back({value[i], weight[i], begin + i});
      }
    }
  }
  std::sort(result.begin(), result.end(), [](const Answer& a, const Answer& b) {
    return a.value < b.value || (a.value == b.value && a.row < b.row);
  });
  return result;
}

double score_of(double share, RankScore score) {
  switch (score) {
    case RankScore::kWilcoxon:
      return share;
    case RankScore::kVanDerWaerden:
      return normal_quantile(share);
    case RankScore::kMedian:
      return share > 0.5 ? 1 : 0;
  }
  return share;
}

}  // namespace

Eigen::VectorXd rank_scores(const Design& design, const Domains& domains, const Column& y,
                            RankScore score) {
  const std::vector<Answer> sorted = answers(design, domains, y);
  double population = 0;
  for (const Answer& answer : sorted) {
    population += answer.weight;
  }
  Eigen::VectorXd result =
      Eigen::VectorXd::Constant(design.rows(), std::numeric_limits<double>::quiet_NaN());
  double below = 0;
  for (auto tie = sorted.begin(); tie != sorted.end();) {
    const auto end = std::find_if(tie, sorted.end(),
                                  [&](const Answer& other) { return other.value != tie->value; });
    double tied = 0;
    for (auto answer = tie; answer != end; ++answer) {
      tied += answer->weight;
    }
    const double value = score_of((below + tied / 2) / population, score);
    for (; tie != end; ++tie) {
      result[tie->row] = value;
    }
    below += tied;
  }
  return result;
}

}  // namespace steelyard
