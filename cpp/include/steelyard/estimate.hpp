#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/estimates.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Estimates of several estimators in several domains, with what must be said beside each.
///
/// Order: domains, in each the estimators as given, in each its estimates.
struct Estimated {
  Estimates estimates;
  std::vector<std::int64_t> used;     ///< rows used
  std::vector<std::int64_t> missing;  ///< rows of the domain left out: an answer is missing
  std::vector<std::int64_t> units;    ///< units with a row used
  std::vector<std::int64_t> strata;   ///< strata with a row used
  Eigen::VectorXd deff;               ///< design effect against sampling without replacement
  Eigen::VectorXd deff_replace;       ///< the same against sampling with replacement
};

/// Numbers up to which a deviation is kept for each unit.
inline constexpr Eigen::Index kKeptDeviations = Eigen::Index{1} << 20;

/// @param unit_keys, stratum_keys known names of units and strata; empty: their position.
struct SampleKeys {
  std::vector<std::uint64_t> units;
  std::vector<std::uint64_t> strata;
  std::uint64_t sample = 0;
};

/// Rows -> sums of influence by unit -> deviations.
/// @param kept numbers up to which deviations are kept; see kKeptDeviations.
Estimated estimate(const Design& design, const SampleKeys& keys, const Domains& domains,
                   std::span<const EstimatorPtr> estimators, int threads = 0,
                   Eigen::Index kept = kKeptDeviations);

}  // namespace steelyard
