#include "steelyard/trimming.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

constexpr double kRounding = 1e-12;
constexpr int kMostRounds = 1000;

/// Cuts weights off at two bounds and shares out what was cut off, over and over. Weights are those
/// of each time that a row counts.
class Cut {
 public:
  Cut(Eigen::VectorXd before, const Before& start, double low, double high,
      Trimming::Sharing sharing)
      : weights(std::move(before)),
        inside(static_cast<std::size_t>(weights.size()), 1),
        start_(start),
        low_(low),
        high_(high),
        sharing_(sharing) {}

  Eigen::VectorXd weights;
  std::vector<char> inside;  ///< was never cut off
  int rounds = 0;

  /// What a row takes its share by.
  double share_of(Eigen::Index row) const {
    return start_.count(row) * (sharing_ == Trimming::Sharing::kEqual ? 1 : weights[row]);
  }

  /// @return whether any weight lay outside.
  template <typename Group>
  bool once(Eigen::Index groups, const Group& group) {
    std::vector<char> out(inside.size(), 0);
    Eigen::VectorXd excess = Eigen::VectorXd::Zero(groups);
    Eigen::VectorXd others = Eigen::VectorXd::Zero(groups);
    bool any = false;
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      const double w = weights[row];
      const Eigen::Index g = group(row);
      const bool outside =
          w > 0 && g >= 0 && (w < low_ * (1 - kRounding) || w > high_ * (1 + kRounding));
      out[static_cast<std::size_t>(row)] = outside ? 1 : 0;
      if (outside) {
        weights[row] = std::clamp(w, low_, high_);
        excess[g] += start_.count(row) * (w - weights[row]);
        inside[static_cast<std::size_t>(row)] = 0;
        any = true;
      } else if (w > 0 && g >= 0) {
        others[g] += share_of(row);
      }
    }
    if (any && sharing_ != Trimming::Sharing::kNone) {
      share(out, excess, others, group);
    }
    ++rounds;
    return any;
  }

 private:
  const Before& start_;
  double low_;
  double high_;
  Trimming::Sharing sharing_;

  template <typename Group>
  void share(const std::vector<char>& out, const Eigen::VectorXd& excess,
             const Eigen::VectorXd& others, const Group& group) {
    for (Eigen::Index g = 0; g < excess.size(); ++g) {
      if (excess[g] != 0 && !(others[g] > 0)) {
        throw WeightingError(WeightingError::Problem::kNobodyLeft,
                             {{static_cast<std::int32_t>(g), 0, excess[g], 0}});
      }
    }
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      const Eigen::Index g = group(row);
      if (weights[row] > 0 && g >= 0 && out[static_cast<std::size_t>(row)] == 0) {
        const double part = sharing_ == Trimming::Sharing::kEqual ? 1 : weights[row];
        weights[row] += excess[g] * part / others[g];
      }
    }
  }
};

}  // namespace

Trimming::Trimming(Eigen::Index rows, Options options) : rows_(rows), options_(std::move(options)) {
  if (!(options_.low >= 0 && options_.high > options_.low)) {
    throw std::invalid_argument("bounds of weights: at least 0, the upper above the lower");
  }
  if (options_.groups.size() > 0 && options_.groups.size() != rows) {
    throw std::invalid_argument("groups have another number of rows than the weights");
  }
}

Eigen::Index Trimming::groups() const {
  return options_.groups.size() == 0 ? 1 : options_.groups.levels();
}

Eigen::Index Trimming::group(Eigen::Index row) const {
  return options_.groups.size() == 0 ? 0 : options_.groups[row];
}

/// Over all times that rows count.
double Trimming::unit(const Eigen::VectorXd& weights, const Before& before) const {
  if (options_.unit == Unit::kWeight) {
    return 1;
  }
  std::vector<std::pair<double, double>> counted;  // weight, count
  double all = 0;
  double sum = 0;
  for (Eigen::Index row = 0; row < rows_; ++row) {
    if (weights[row] > 0) {
      counted.emplace_back(weights[row], before.count(row));
      all += before.count(row);
      sum += before.count(row) * weights[row];
    }
  }
  if (counted.empty()) {
    throw WeightingError(WeightingError::Problem::kNobodyLeft);
  }
  if (options_.unit == Unit::kMean) {
    return sum / all;
  }
  std::sort(counted.begin(), counted.end());
  double below = 0;
  for (std::size_t i = 0; i < counted.size(); ++i) {
    below += counted[i].second;
    if (2 * below == all && i + 1 < counted.size()) {
      return (counted[i].first + counted[i + 1].first) / 2;
    }
    if (2 * below > all) {
      return counted[i].first;
    }
  }
  return counted.back().first;
}

Adjusted Trimming::apply(const Before& before, int) const {
  if (before.weights.size() != rows_) {
    throw std::invalid_argument("weights have another number of rows than the step");
  }
  if (before.weights.minCoeff() < 0) {
    throw WeightingError(WeightingError::Problem::kNegativeWeight);
  }
  // In a replicate a row may count twice: it is as two rows of its weight, not as one of twice.
  Eigen::VectorXd each = before.weights;
  for (Eigen::Index row = 0; row < rows_ && before.counts.size() > 0; ++row) {
    each[row] = before.count(row) > 0 ? each[row] / before.count(row) : 0;
  }
  const double scale = unit(each, before);
  Cut cut(each, before, options_.low * scale, options_.high * scale, options_.sharing);
  const auto group_of = [this](Eigen::Index row) { return group(row); };
  while (cut.once(groups(), group_of) && options_.repeats) {
    if (cut.rounds > kMostRounds) {
      throw WeightingError(WeightingError::Problem::kNobodyLeft);
    }
  }
  Adjusted result;
  result.iterations = cut.rounds;
  result.weights = cut.weights;
  for (Eigen::Index row = 0; row < rows_ && before.counts.size() > 0; ++row) {
    result.weights[row] *= before.count(row);
  }
  if (before.counts.size() == 0 && !options_.is_fixed) {
    result.projection = project(each, cut.weights, cut.inside);
  }
  return result;
}

/// A row that was cut off has the weight of the bound whatever its own was, and gives the rest to
/// those that were not: the mean over them, by their shares, is what its weight tells.
Projection Trimming::project(const Eigen::VectorXd& before, const Eigen::VectorXd& after,
                             const std::vector<char>& inside) const {
  const bool equal = options_.sharing == Sharing::kEqual;
  Projection result;
  result.keep = Eigen::VectorXd::Ones(rows_);
  const auto is_cut = [&](Eigen::Index row) { return inside[static_cast<std::size_t>(row)] == 0; };
  for (Eigen::Index row = 0; row < rows_; ++row) {
    result.keep[row] = is_cut(row) ? 0 : equal && after[row] > 0 ? before[row] / after[row] : 1;
  }
  if (options_.sharing == Sharing::kNone) {
    return result;
  }
  const Codes one(std::vector<std::int32_t>(static_cast<std::size_t>(rows_), 0), 1);
  result.cells = cells_of(Controls({options_.groups.size() == 0 ? one : options_.groups}, {}));
  result.part = after - before;
  result.part_of_weight = Eigen::VectorXd::Zero(rows_);
  result.pull = Eigen::VectorXd::Zero(rows_);
  Eigen::VectorXd shares = Eigen::VectorXd::Zero(groups());
  for (Eigen::Index row = 0; row < rows_; ++row) {
    if (is_cut(row)) {
      result.part_of_weight[row] = -before[row];
    } else if (before[row] > 0 && group(row) >= 0) {
      result.part_of_weight[row] = equal ? 0 : after[row] - before[row];
      result.pull[row] = (equal ? 1 : before[row]) / after[row];
      shares[group(row)] += equal ? 1 : before[row];
    }
  }
  result.information.emplace_back(Eigen::MatrixXd(shares.asDiagonal()));
  return result;
}

}  // namespace steelyard
