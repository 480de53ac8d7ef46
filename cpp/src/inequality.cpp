#include "steelyard/inequality.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/answers.hpp"
#include "steelyard/error.hpp"
#include "steelyard/known_influence.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/quantile_rule.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

class Gini final : public KnownInfluence {
 public:
  Gini(const Column& y, std::vector<double> values, std::vector<double> influences)
      : KnownInfluence(y, [y](const Design& design,
                              const Domains& domains) { return gini(y, design, domains, 1); }),
        values_(std::move(values)),
        influences_(std::move(influences)) {}

 protected:
  void influence(const RowBlock& rows, const double*, double* z) const override {
    std::copy_n(influences_.data() + rows.begin, rows.count, z);
  }
  double value(Eigen::Index domain) const override {
    return values_[static_cast<std::size_t>(domain)];
  }
  bool has_influence(Eigen::Index) const override { return true; }

 private:
  std::vector<double> values_;
  std::vector<double> influences_;  // of every row
};

void refuse_negative(const Column& y, const std::vector<Answers>& answers) {
  std::vector<Eigen::Index> rows;
  for (const Answers& mine : answers) {
    for (std::size_t i = 0; i < mine.rows.size(); ++i) {
      if (mine.values[i] < 0) {
        rows.push_back(mine.rows[i]);
      }
    }
  }
  std::sort(rows.begin(), rows.end());
  Offence negative;
  for (const Eigen::Index row : rows) {
    negative.add(row);
  }
  if (negative.count > 0) {
    throw InvalidColumn(y.name(), InvalidColumn::Problem::kNegative, negative);
  }
}

/// Of equal values the lighter first, so that the order of the rows does not even round otherwise.
std::vector<std::size_t> ascending(const Answers& answers) {
  std::vector<std::size_t> order(answers.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(answers.values[a], answers.weights[a]) <
           std::pair(answers.values[b], answers.weights[b]);
  });
  return order;
}

/// Adds to `distance`, for each answer, the weighted distances to those before it in `order`.
/// @return the sum of weights.
double add_distances(const Answers& answers, const std::vector<std::size_t>& order,
                     std::vector<double>& distance) {
  double weight = 0;
  double sum = 0;
  double before = answers.values[order.front()];
  for (const std::size_t k : order) {
    sum += weight * std::abs(answers.values[k] - before);
    distance[k] += sum;
    before = answers.values[k];
    weight += answers.weights[k];
  }
  return weight;
}

/// Nothing is subtracted on the way to the coefficient, so that no digits are lost.
double gini_of(const Answers& answers, std::vector<double>& influences) {
  if (answers.values.empty()) {
    return kNotANumber;
  }
  std::vector<std::size_t> order = ascending(answers);
  std::vector<double> distance(order.size());
  const double weight = add_distances(answers, order, distance);
  double total = 0;
  double differences = 0;
  for (const std::size_t k : order) {
    total += answers.weights[k] * answers.values[k];
    differences += answers.weights[k] * distance[k];
  }
  if (!std::isfinite(weight) || !std::isfinite(total) || !std::isfinite(differences)) {
    throw std::overflow_error("weighted sums exceed the range of double: rescale the column");
  }
  std::reverse(order.begin(), order.end());
  add_distances(answers, order, distance);
  const double value = total > 0 ? differences / weight / total : kNotANumber;
  for (std::size_t k = 0; k < order.size(); ++k) {
    influences[static_cast<std::size_t>(answers.rows[k])] =
        total > 0 ? distance[k] / weight / total - value * (1 / weight + answers.values[k] / total)
                  : 0;
  }
  return value;
}

/// Sum of w y on one side of a cut-off, with as much at the cut-off as makes up the share.
struct Part {
  double cut = 0;
  double share = 0;
  double total = 0;
};

Part add_up(const Answers& answers, double cut, double share, bool below) {
  double inside = 0;
  double all = 0;
  Part part{cut, share, 0};
  for (std::size_t i = 0; i < answers.values.size(); ++i) {
    all += answers.weights[i];
    if (below ? answers.values[i] < cut : answers.values[i] > cut) {
      inside += answers.weights[i];
      part.total += answers.weights[i] * answers.values[i];
    }
  }
  part.total += cut * (share * all - inside);
  return part;
}

class ShareRatio final : public KnownInfluence {
 public:
  struct Parts {
    Part richest;
    Part poorest;
  };

  ShareRatio(const Column& y, const IncomeShares& shares, std::vector<Parts> parts)
      : KnownInfluence(y,
                       [y, shares](const Design& design, const Domains& domains) {
                         return share_ratio(y, design, domains, shares, 1);
                       }),
        parts_(std::move(parts)) {}

 protected:
  void influence(const RowBlock& rows, const double* y, double* z) const override {
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const std::int32_t d = rows.domain_of(i);
      if (d < 0) {
        continue;
      }
      const auto& [richest, poorest] = parts_[static_cast<std::size_t>(d)];
      if (std::isnan(y[i]) || !(poorest.total > 0)) {
        z[i] = 0 * y[i];
        continue;
      }
      const double rich = std::max(y[i] - richest.cut, 0.0) + richest.share * richest.cut;
      const double poor = poorest.share * poorest.cut - std::max(poorest.cut - y[i], 0.0);
      z[i] = (rich - value(d) * poor) / poorest.total;
    }
  }
  double value(Eigen::Index domain) const override {
    const auto& [richest, poorest] = parts_[static_cast<std::size_t>(domain)];
    return poorest.total > 0 ? richest.total / poorest.total : kNotANumber;
  }
  bool has_influence(Eigen::Index) const override { return true; }

 private:
  std::vector<Parts> parts_;  // by domain
};

ShareRatio::Parts parts_of(const Answers& answers, const IncomeShares& shares) {
  if (answers.values.empty()) {
    return {};
  }
  const WeightedSample sample(answers.values, answers.weights);
  const double high = sample.quantile(1 - shares.richest, QuantileRule::kHf2);
  const double low = sample.quantile(shares.poorest, QuantileRule::kHf2);
  const ShareRatio::Parts parts{add_up(answers, high, shares.richest, false),
                                add_up(answers, low, shares.poorest, true)};
  if (!std::isfinite(parts.richest.total) || !std::isfinite(parts.poorest.total)) {
    throw std::overflow_error("weighted sums exceed the range of double: rescale the column");
  }
  return parts;
}

}  // namespace

EstimatorPtr gini(const Column& y, const Design& design, const Domains& domains, int threads) {
  const std::vector<Answers> answers = gather_answers(design, domains, y);
  refuse_negative(y, answers);
  std::vector<double> values(answers.size());
  std::vector<double> influences(static_cast<std::size_t>(design.rows()), kNotANumber);
  parallel_for(domains.count(), threads, [&](Eigen::Index d) {
    const auto at = static_cast<std::size_t>(d);
    values[at] = gini_of(answers[at], influences);
  });
  return std::make_shared<Gini>(y, std::move(values), std::move(influences));
}

EstimatorPtr share_ratio(const Column& y, const Design& design, const Domains& domains,
                         const IncomeShares& shares, int threads) {
  for (const double share : {shares.richest, shares.poorest}) {
    if (!(share > 0 && share < 1)) {
      throw std::invalid_argument("a share of the population lies between 0 and 1");
    }
  }
  const std::vector<Answers> answers = gather_answers(design, domains, y);
  std::vector<ShareRatio::Parts> parts(answers.size());
  parallel_for(domains.count(), threads, [&](Eigen::Index d) {
    const auto at = static_cast<std::size_t>(d);
    parts[at] = parts_of(answers[at], shares);
  });
  return std::make_shared<ShareRatio>(y, shares, std::move(parts));
}

}  // namespace steelyard
