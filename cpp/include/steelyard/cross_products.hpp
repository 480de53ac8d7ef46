#pragma once

#include <Eigen/Core>
#include <span>

#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/influence.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// The design's linear map and its Gram matrix in one go, for samples of elements too large to keep
/// a deviation for each: D^T D without D. A second pass over the rows.
///
/// @param terms linearised from sums by stratum (Grouping::kStratum).
/// @return (domains * estimates) square, the estimates of a domain together.
Eigen::MatrixXd element_covariance(const Design& design, const Domains& domains,
                                   std::span<const Term> terms, int threads);

}  // namespace steelyard
