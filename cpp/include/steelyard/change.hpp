#pragma once

#include <Eigen/Core>

#include "steelyard/estimates.hpp"

namespace steelyard {

enum class ChangeKind {
  kDifference,  ///< after - before
  kRatio,       ///< after / before
  kRelative,    ///< after / before - 1
  kLogOdds,     ///< log odds of after - log odds of before, for shares
};

/// Changes of as many estimates, one by one, with the covariance of what both sides share beyond
/// chance; see without_chance.
///
/// Where a change is not defined (a ratio to 0, the log odds of 0 or 1), value and error are not
/// numbers.
Estimates change(const Estimates& before, const Estimates& after, ChangeKind kind);

/// Correlation of each estimate with its other: what an overlap buys. Not a number where either has
/// no sampling error.
Eigen::VectorXd correlations(const Estimates& before, const Estimates& after);

/// How an earlier series becomes comparable with a later one.
enum class LinkKind {
  kShift,  ///< new = old + link
  kScale,  ///< new = old * link
};

/// Estimates of an old series as they would be in the new one, with the error of the link.
///
/// The link's error is one for all the estimates and does not fall with their number; what the
/// link was estimated from is shared by unit where its deviations are. Two sets linked by the same
/// link share its error.
///
/// Reference: OECD (2024), PISA 2022 Technical Report, on linking errors of trends.
/// @param by one estimate.
Estimates link(const Estimates& old, const Estimates& by, LinkKind kind);

}  // namespace steelyard
