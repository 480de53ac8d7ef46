#include "steelyard/jackknife.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/random.hpp"
#include "steelyard/replicated_units.hpp"

namespace steelyard {

Replicates jackknife(const Design& design, bool about_estimate) {
  const std::vector<std::vector<Eigen::Index>> strata = units_by_stratum(design.first());
  Eigen::Index count = 0;
  const auto varies = [&](std::size_t h) {
    return strata[h].size() > 1 && design.stratum(static_cast<Eigen::Index>(h)).fraction < 1;
  };
  for (std::size_t h = 0; h < strata.size(); ++h) {
    count += varies(h) ? static_cast<Eigen::Index>(strata[h].size()) : 0;
  }
  check_replicable(design, count);
  RowMatrix factors = RowMatrix::Ones(design.first().units(), count);
  Replicates::Rule rule{Eigen::VectorXd(count), about_estimate};
  Eigen::Index r = 0;
  for (std::size_t h = 0; h < strata.size(); ++h) {
    if (!varies(h)) {
      continue;
    }
    const auto n = static_cast<double>(strata[h].size());
    for (const Eigen::Index out : strata[h]) {
      for (const Eigen::Index unit : strata[h]) {
        factors(unit, r) = unit == out ? 0 : n / (n - 1);
      }
      rule.scales[r++] = (1 - design.stratum(static_cast<Eigen::Index>(h)).fraction) * (n - 1) / n;
    }
  }
  return Replicates::of_units(spread_to_last_stage(design, std::move(factors)), std::move(rule));
}

Replicates random_groups(const Design& design, Eigen::Index groups, std::uint64_t seed,
                         bool about_estimate) {
  if (groups < 2) {
    throw std::invalid_argument("two random groups or more are needed");
  }
  if (groups > design.first().units()) {
    throw std::invalid_argument("there are more random groups than units");
  }
  check_replicable(design, groups);
  RowMatrix factors(design.first().units(), groups);
  Random random(seed, 0);
  // Strata follow on each other, so that groups differ by one unit at most over all of them.
  Eigen::Index next = 0;
  for (std::vector<Eigen::Index>& units : units_by_stratum(design.first())) {
    const auto size = static_cast<Eigen::Index>(units.size());
    random.choose(units, size);
    std::vector<Eigen::Index> members(static_cast<std::size_t>(groups), 0);
    for (Eigen::Index i = 0; i < size; ++i) {
      ++members[static_cast<std::size_t>((next + i) % groups)];
    }
    if (size > 0 && *std::max_element(members.begin(), members.end()) == size) {
      throw std::invalid_argument("a random group would leave a stratum empty: merge strata");
    }
    for (Eigen::Index i = 0; i < size; ++i) {
      for (Eigen::Index g = 0; g < groups; ++g) {
        const auto out = static_cast<double>(members[static_cast<std::size_t>(g)]);
        const bool left = (next + i) % groups != g;
        factors(units[static_cast<std::size_t>(i)], g) =
            left ? static_cast<double>(size) / (static_cast<double>(size) - out) : 0;
      }
    }
    next += size;
  }
  const auto g = static_cast<double>(groups);
  return Replicates::of_units(spread_to_last_stage(design, std::move(factors)),
                              {Eigen::VectorXd::Constant(groups, (g - 1) / g), about_estimate});
}

}  // namespace steelyard
