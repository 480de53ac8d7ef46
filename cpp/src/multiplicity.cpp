#include "steelyard/multiplicity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "steelyard/distribution.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/random.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Positions of the p-values that are numbers, the smallest first.
std::vector<Eigen::Index> ascending(const Eigen::VectorXd& p_values) {
  std::vector<Eigen::Index> order;
  for (Eigen::Index i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return p_values[a] < p_values[b]; });
  return order;
}

/// What the p-value of a rank (1: the smallest) is multiplied by.
double multiple(Multiplicity adjustment, double rank, double tests) {
  switch (adjustment) {
    case Multiplicity::kBonferroni:
      return tests;
    case Multiplicity::kHolm:
    case Multiplicity::kHochberg:
      return tests - rank + 1;
    case Multiplicity::kBenjaminiHochberg:
      return tests / rank;
  }
  throw std::invalid_argument("unknown adjustment of p-values");
}

/// Estimates with a sampling error, in standard errors.
struct Standardised {
  std::vector<Eigen::Index> positions;
  Eigen::VectorXd statistics;
  RowMatrix root;  ///< of the correlations
};

Standardised standardised(const Estimates& estimates, const Eigen::VectorXd& null) {
  const Eigen::VectorXd errors = estimates.standard_errors();
  Standardised result;
  for (Eigen::Index i = 0; i < errors.size(); ++i) {
    if (std::isfinite(errors[i]) && errors[i] > 0 && std::isfinite(estimates.values[i]) &&
        std::isfinite(null[i])) {
      result.positions.push_back(i);
    }
  }
  if (result.positions.empty()) {
    throw std::invalid_argument("no estimate has a sampling error");
  }
  const Eigen::VectorXd scale = errors(result.positions);
  result.statistics =
      (estimates.values(result.positions) - null(result.positions)).cwiseQuotient(scale);
  const Estimates known = estimates.select(result.positions);
  const Eigen::VectorXd inverse = scale.cwiseInverse();
  Eigen::MatrixXd correlation = inverse.asDiagonal() * known.covariance() * inverse.asDiagonal();
  // Exactly: which of equal pivots comes first, and with it the draws, would else be rounding.
  correlation.diagonal().setOnes();
  result.root = square_root(correlation, 1, 0, 0).matrix;
  return result;
}

double extreme(const Eigen::VectorXd& statistics, Side side) {
  switch (side) {
    case Side::kTwo:
      return statistics.cwiseAbs().maxCoeff();
    case Side::kUpper:
      return statistics.maxCoeff();
    case Side::kLower:
      return -statistics.minCoeff();
  }
  throw std::invalid_argument("unknown side");
}

/// The largest statistic of each draw, in ascending order.
std::vector<double> largest(const RowMatrix& root, double degrees_of_freedom, Side side,
                            Eigen::Index draws, std::uint64_t seed, int threads) {
  constexpr Eigen::Index kTogether = 256;
  std::vector<double> result(static_cast<std::size_t>(draws));
  const bool has_t = std::isfinite(degrees_of_freedom);
  parallel_for((draws + kTogether - 1) / kTogether, threads, [&](Eigen::Index block) {
    Random random(seed, static_cast<std::uint64_t>(block));
    Eigen::VectorXd multipliers(root.rows());
    const Eigen::Index end = std::min(draws, (block + 1) * kTogether);
    for (Eigen::Index draw = block * kTogether; draw < end; ++draw) {
      for (double& multiplier : multipliers) {
        multiplier = random.normal();
      }
      const double most = extreme(root.transpose() * multipliers, side);
      const double spread =
          has_t ? std::sqrt(chi_square_quantile(random.uniform(), degrees_of_freedom) /
                            degrees_of_freedom)
                : 1;
      result[static_cast<std::size_t>(draw)] = most / spread;
    }
  });
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

Eigen::VectorXd adjusted_p_values(const Eigen::VectorXd& p_values, Multiplicity adjustment) {
  const std::vector<Eigen::Index> order = ascending(p_values);
  const auto tests = static_cast<double>(order.size());
  Eigen::VectorXd result = p_values;
  for (const Eigen::Index i : order) {
    if (!(p_values[i] >= 0 && p_values[i] <= 1)) {
      throw std::invalid_argument("a p-value lies between 0 and 1");
    }
  }
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double factor = multiple(adjustment, static_cast<double>(rank) + 1, tests);
    result[order[rank]] = std::min(1.0, factor * p_values[order[rank]]);
  }
  if (adjustment == Multiplicity::kHolm) {
    for (std::size_t rank = 1; rank < order.size(); ++rank) {
      result[order[rank]] = std::max(result[order[rank]], result[order[rank - 1]]);
    }
  } else if (adjustment != Multiplicity::kBonferroni) {
    for (std::size_t rank = order.size(); rank > 1; --rank) {
      result[order[rank - 2]] = std::min(result[order[rank - 2]], result[order[rank - 1]]);
    }
  }
  return result;
}

MaxT max_t(const Estimates& estimates, const Eigen::VectorXd& null, double degrees_of_freedom,
           Side side, double level, Eigen::Index draws, std::uint64_t seed, int threads) {
  constexpr Eigen::Index kFewestDraws = 1000;
  if (!(level > 0 && level < 1)) {
    throw std::invalid_argument("the confidence level must lie between 0 and 1");
  }
  if (!(degrees_of_freedom > 0)) {
    throw std::invalid_argument("degrees of freedom are above 0");
  }
  if (draws < kFewestDraws) {
    throw std::invalid_argument("at least 1000 draws are needed");
  }
  if (level > static_cast<double>(draws) / (static_cast<double>(draws) + 1)) {
    throw std::invalid_argument("so high a level needs more draws");
  }
  if (null.size() != estimates.size()) {
    throw std::invalid_argument("one hypothesis an estimate is needed");
  }
  const Standardised known = standardised(estimates, null);
  const std::vector<double> drawn =
      largest(known.root, degrees_of_freedom, side, draws, seed, threads);
  const auto all = static_cast<double>(draws) + 1;
  // The draws and the statistic are alike if the hypothesis holds: one of draws + 1.
  const auto rank = static_cast<std::size_t>(std::ceil(level * all)) - 1;
  MaxT result;
  result.critical = drawn[rank];
  result.p_values = Eigen::VectorXd::Constant(estimates.size(), kNotANumber);
  for (std::size_t i = 0; i < known.positions.size(); ++i) {
    const double statistic =
        extreme(known.statistics.segment<1>(static_cast<Eigen::Index>(i)), side);
    const auto beyond = drawn.end() - std::lower_bound(drawn.begin(), drawn.end(), statistic);
    result.p_values[known.positions[i]] = (static_cast<double>(beyond) + 1) / all;
  }
  return result;
}

}  // namespace steelyard
