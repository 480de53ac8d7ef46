#pragma once

#include "steelyard/estimator.hpp"
#include "steelyard/regression.hpp"

namespace steelyard {

/// Weighted means of the columns of a fit's matrix, over the rows of the fit: with its coefficients
/// they give the mean of the response, and both covary as estimates of one sample do.
EstimatorPtr column_means(const Regression& fit);

}  // namespace steelyard
