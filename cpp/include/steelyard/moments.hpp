#pragma once

#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

enum class Moment { kVariance, kStandardDeviation, kCovariance, kCorrelation };

/// A second central moment of one column, or of two, in every domain.
///
/// The variance is n / (n - 1) times the weighted mean of (y - ybar)^2, with n the rows used; the
/// covariance likewise. A first pass over the rows finds the means.
///
/// @param columns one for a variance or standard deviation, two for a covariance or correlation.
/// @throws std::invalid_argument for another number of columns.
/// Reference: Särndal, Swensson & Wretman (1992), section 5.9; as R survey's svyvar.
EstimatorPtr moment(Moment which, const std::vector<Column>& columns, const Design& design,
                    const Domains& domains, int threads = 0);

}  // namespace steelyard
