#pragma once

#include <Eigen/Core>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Values and gradients of one estimator in every domain.
///
/// A row's influence is weight * (gradient * features + intercept * features[0]): the intercept
/// carries the distance of the domain's centre from the centre that the row's stratum was summed
/// at, so that deviations are taken before the two are brought together.
struct Linearised {
  std::vector<Linearisation> by_domain;
  /// (strata * domains) x estimates; empty for an estimator of levels.
  RowMatrix intercept;
  /// By domain: sums of the features at the domain's centre, and sum of w f f^T.
  std::vector<Eigen::VectorXd> sums;
  std::vector<Eigen::MatrixXd> second;
  std::vector<Eigen::VectorXd> centre;  ///< by domain; without entries for levels
};

/// An estimator on its way through one call.
struct Term {
  EstimatorPtr estimator;
  FeatureSums sums;
  Linearised linearised;
};

Linearised linearise(const Design& design, const Domains& domains, const Estimator& estimator,
                     const FeatureSums& sums);

}  // namespace steelyard
