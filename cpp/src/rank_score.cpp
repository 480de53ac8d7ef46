#include "steelyard/rank_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "steelyard/answers.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

/// Positions of the answers of all domains by their values, ties in the order of the rows.
std::vector<std::size_t> sorted_positions(const Answers& answers, const Codes& domain) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < answers.values.size(); ++i) {
    if (domain.size() == 0 || domain[answers.rows[i]] >= 0) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return answers.values[a] < answers.values[b];
  });
  return order;
}

double score_of(double share, RankScore score) {
  switch (score) {
    case RankScore::kWilcoxon:
      return share;
    case RankScore::kVanDerWaerden:
      return normal_quantile(std::min(share, 1 - 0x1p-53));  // rounded to 1 below a tiny weight
    case RankScore::kMedian:
      return share > 0.5 ? 1 : 0;
  }
  return share;
}

}  // namespace

Eigen::VectorXd rank_scores(const Design& design, const Domains& domains, const Column& y,
                            RankScore score) {
  const Answers answers = gather_answers(design, Domains{}, y).front();
  const std::vector<std::size_t> order = sorted_positions(answers, domains.codes);
  const auto weight_of = [&](double sum, std::size_t i) { return sum + answers.weights[i]; };
  const double population = std::accumulate(order.begin(), order.end(), 0.0, weight_of);
  Eigen::VectorXd result =
      Eigen::VectorXd::Constant(design.rows(), std::numeric_limits<double>::quiet_NaN());
  double below = 0;
  for (auto tie = order.begin(); tie != order.end();) {
    const auto end = std::find_if(tie, order.end(), [&](std::size_t other) {
      return answers.values[other] != answers.values[*tie];
    });
    const double tied = std::accumulate(tie, end, 0.0, weight_of);
    const double value = score_of((below + tied / 2) / population, score);
    for (; tie != end; ++tie) {
      result[answers.rows[*tie]] = value;
    }
    below += tied;
  }
  return result;
}

}  // namespace steelyard
