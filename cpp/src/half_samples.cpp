#include "steelyard/half_samples.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/hadamard.hpp"
#include "steelyard/replicated_units.hpp"

namespace steelyard {
namespace {

struct Pair {
  std::vector<Eigen::Index> first;
  std::vector<Eigen::Index> second;
};

std::vector<Pair> pairs_of(const Design& design) {
  std::vector<Pair> pairs;
  for (const std::vector<Eigen::Index>& units : units_by_stratum(design.first())) {
    for (std::size_t i = 0; i + 1 < units.size(); i += 2) {
      Pair pair{{units[i]}, {units[i + 1]}};
      if (i + 3 == units.size()) {
        pair.second.push_back(units[i + 2]);
      }
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

void put(const std::vector<Eigen::Index>& units, std::size_t others, double sign, double rho,
         Eigen::Index r, RowMatrix& factors) {
  const double ratio = static_cast<double>(others) / static_cast<double>(units.size());
  for (const Eigen::Index unit : units) {
    factors(unit, r) = 1 + sign * (1 - rho) * std::sqrt(ratio);
  }
}

}  // namespace

Replicates half_samples(const Design& design, double rho, bool about_estimate) {
  if (!(rho >= 0 && rho < 1)) {
    throw std::invalid_argument("rho: at least 0 and below 1");
  }
  const std::vector<Pair> pairs = pairs_of(design);
  const auto least = static_cast<Eigen::Index>(pairs.size()) + 1;
  check_replicable(design, least);
  const SignMatrix signs = hadamard(least);
  const Eigen::Index count = signs.cols();
  RowMatrix factors = RowMatrix::Ones(design.first().units(), count);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto& [first, second] = pairs[p];
    for (Eigen::Index r = 0; r < count; ++r) {
      const double sign = signs(static_cast<Eigen::Index>(p) + 1, r);
      put(first, second.size(), sign, rho, r, factors);
      put(second, first.size(), -sign, rho, r, factors);
    }
  }
  const double scale = 1 / (static_cast<double>(count) * (1 - rho) * (1 - rho));
  return Replicates::of_units(spread_to_last_stage(design, std::move(factors)),
                              {Eigen::VectorXd::Constant(count, scale), about_estimate});
}

}  // namespace steelyard
