#pragma once

#include <Eigen/Core>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// How an estimated rank in the population, as a share between 0 and 1, becomes a score.
enum class RankScore {
  kWilcoxon,       ///< the share itself
  kVanDerWaerden,  ///< the normal quantile of it
  kMedian,         ///< is it above 1/2?
};

/// The score of each row's rank in the population that the rows of all domains stand for.
///
/// The share is that of the population below the value, and half of that at it: rows with equal
/// values have equal ranks, whatever their order and weights. NaN for rows without an answer, in
/// no domain, or of no weight.
///
/// Reference: Lumley & Scott (2013), Two-sample rank tests under complex sampling, Biometrika
/// 100(4).
Eigen::VectorXd rank_scores(const Design& design, const Domains& domains, const Column& y,
                            RankScore score);

}  // namespace steelyard
