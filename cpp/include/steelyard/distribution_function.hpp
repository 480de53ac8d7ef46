#pragma once

#include <Eigen/Core>

#include "steelyard/column.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// The weighted share of values at or below some points: an estimate for each point.
///
/// Points cut the column into intervals, and shares of those are proportions of levels.
///
/// @param points one row of points for every domain, or a single row for all domains; each row in
///               ascending order.
/// @throws std::invalid_argument for points that do not ascend, or for another number of rows.
/// Reference: Särndal, Swensson & Wretman (1992), section 5.11.
EstimatorPtr distribution_function(const Column& y, const Domains& domains,
                                   const RowMatrix& points);

}  // namespace steelyard
