#include "steelyard/allocation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace steelyard {
namespace {

Eigen::VectorXd least_of(const StratumLimits& limits) {
  if (limits.population.size() == 0 || !limits.population.allFinite() ||
      limits.population.minCoeff() < 0 || !(limits.least >= 0)) {
    throw std::invalid_argument("strata need numbers of units of at least 0");
  }
  return limits.population.cwiseMin(limits.least);
}

void check(bool holds, const char* what) {
  if (!holds) {
    throw std::invalid_argument(what);
  }
}

/// In proportion to the measure, but for strata at their limits.
Eigen::VectorXd shared(const Eigen::VectorXd& measure, double size, const Eigen::VectorXd& least,
                       const Eigen::VectorXd& most) {
  const auto at = [&](double factor) {
    return Eigen::VectorXd((factor * measure).cwiseMax(least).cwiseMin(most));
  };
  double low = 0;
  double high = 0;  // by which all that have a measure are taken whole
  for (Eigen::Index h = 0; h < measure.size(); ++h) {
    high = measure[h] > 0 ? std::max(high, most[h] / measure[h]) : high;
  }
  for (int i = 0; i < 2000 && high - low > 1e-15 * high; ++i) {
    const double middle = (low + high) / 2;
    (at(middle).sum() < size ? low : high) = middle;
  }
  return at(high);
}

Eigen::VectorXd rounded(const Eigen::VectorXd& exact, std::int64_t size,
                        const Eigen::VectorXd& most) {
  Eigen::VectorXd result = (exact.array() * (1 + 1e-12)).floor();
  result = result.cwiseMin(most);
  std::vector<Eigen::Index> order(static_cast<std::size_t>(exact.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
    return exact[a] - result[a] > exact[b] - result[b];
  });
  auto left = size - std::llround(result.sum());
  // Remainders of exact shares, or what strata without a measure are to take.
  for (std::size_t i = 0; left > 0; i = (i + 1) % order.size()) {
    if (result[order[i]] + 1 <= most[order[i]]) {
      result[order[i]] += 1;
      --left;
    }
  }
  return result;
}

}  // namespace

Eigen::VectorXd allocate(const Eigen::VectorXd& measure, std::int64_t size,
                         const StratumLimits& limits) {
  const Eigen::VectorXd most = limits.population.array().floor();
  const Eigen::VectorXd least = Eigen::VectorXd(least_of(limits).array().ceil()).cwiseMin(most);
  check(measure.size() == most.size(), "a measure is needed for each stratum");
  check(measure.allFinite() && measure.minCoeff() >= 0 && measure.maxCoeff() > 0,
        "measures of strata are finite, none negative, one positive");
  const auto wanted = static_cast<double>(size);
  if (wanted < least.sum() || wanted > most.sum()) {
    throw std::invalid_argument("the sample has at least " +
                                std::to_string(std::llround(least.sum())) + " units and at most " +
                                std::to_string(std::llround(most.sum())) + " with these strata");
  }
  return rounded(shared(measure, wanted, least, most), size, most);
}

Eigen::VectorXd allocate_for_precision(const RowMatrix& variance, const Eigen::VectorXd& wanted,
                                       const Eigen::VectorXd& cost, const StratumLimits& limits) {
  constexpr int kMostIterations = 100000;
  constexpr double kEnough = 1e-10;
  const Eigen::VectorXd least = least_of(limits);
  const Eigen::VectorXd& population = limits.population;
  check(variance.rows() == population.size() && cost.size() == population.size() &&
            variance.cols() == wanted.size() && wanted.size() > 0,
        "a variance is needed for each stratum and variable");
  check(variance.allFinite() && variance.minCoeff() >= 0, "variances are at least 0");
  check(wanted.allFinite() && wanted.minCoeff() > 0, "wanted variances are above 0");
  check(cost.allFinite() && cost.minCoeff() > 0, "costs are above 0");
  // Of each variance wanted: what a stratum adds, over its sample's size.
  const Eigen::RowVectorXd room = wanted.transpose() + (population.transpose() * variance);
  const RowMatrix share =
      (population.cwiseAbs2().asDiagonal() * variance).array().rowwise() / room.array();
  if (share.maxCoeff() == 0) {
    return least;
  }
  Eigen::VectorXd multiplier =
      Eigen::VectorXd::Constant(wanted.size(), 1.0 / static_cast<double>(wanted.size()));
  const auto sizes = [&](double scale) {
    return Eigen::VectorXd(((share * multiplier).cwiseQuotient(cost).cwiseSqrt() * scale)
                               .cwiseMax(least)
                               .cwiseMin(population));
  };
  const auto used = [&](const Eigen::VectorXd& n) {
    return Eigen::VectorXd(share.transpose() *
                           n.unaryExpr([](double v) { return v > 0 ? 1 / v : 0.0; }));
  };
  Eigen::VectorXd result = population;
  for (int i = 0; i < kMostIterations; ++i) {
    // The smallest scale at which every variance is met: then multipliers move to those that bind.
    double low = 0;
    double high = 1;
    while (used(sizes(high)).maxCoeff() > 1 && high < 1e300) {
      low = high;
      high *= 2;
    }
    for (int k = 0; k < 200 && high - low > 1e-15 * high; ++k) {
      const double middle = (low + high) / 2;
      (used(sizes(middle)).maxCoeff() > 1 ? low : high) = middle;
    }
    result = sizes(high);
    const Eigen::VectorXd reached = used(result);
    const Eigen::VectorXd before = multiplier;
    multiplier = multiplier.cwiseProduct(reached.cwiseAbs2());
    multiplier /= multiplier.sum();
    if ((multiplier - before).cwiseAbs().maxCoeff() < kEnough) {
      break;
    }
  }
  return result;
}

}  // namespace steelyard
