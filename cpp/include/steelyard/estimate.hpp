#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <utility>
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
  std::vector<std::int64_t> units;    ///< units of the first stage with a row used
  std::vector<std::int64_t> strata;   ///< strata with a row used
  /// Units with a row used in strata that were not taken whole; 0: the figure has no sampling
  /// error.
  std::vector<std::int64_t> sampled_units;
  /// Replicates under which the figure is not defined; empty without replicates.
  std::vector<std::int64_t> left_out;
  Eigen::VectorXd deff;          ///< design effect against sampling without replacement
  Eigen::VectorXd deff_replace;  ///< the same against sampling with replacement
};

/// Numbers up to which a sample of elements keeps a deviation for each. Units with names always do.
inline constexpr Eigen::Index kKeptDeviations = Eigen::Index{1} << 20;

/// Names by which two samples find what they share. Units without names are in no other sample.
struct SampleKeys {
  /// @param sample_key known to no other sample.
  explicit SampleKeys(std::uint64_t sample_key, std::vector<std::uint64_t> unit_keys = {},
                      std::vector<std::uint64_t> stratum_keys = {})
      : sample(sample_key), units(std::move(unit_keys)), strata(std::move(stratum_keys)) {}

  std::uint64_t sample;
  std::vector<std::uint64_t> units;   ///< one a unit, stage after stage, or none
  std::vector<std::uint64_t> strata;  ///< one a stratum of the first stage, or none
  /// How many of the units' keys, from the first, are names that another sample may have.
  std::size_t names = units.size();
};

/// Rows -> sums of influence by unit -> deviations.
/// @param kept see kKeptDeviations.
Estimated estimate(const Design& design, const SampleKeys& keys, const Domains& domains,
                   std::span<const EstimatorPtr> estimators, int threads = 0,
                   Eigen::Index kept = kKeptDeviations);

}  // namespace steelyard
