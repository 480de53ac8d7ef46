#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/model_matrix.hpp"
#include "steelyard/ordinal.hpp"
#include "steelyard/regression.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Values at given rows, and their Jacobian by a fit's estimates: what Estimates::delta asks for.
struct Prediction {
  Eigen::VectorXd value;     ///< NaN where a value of the row is missing
  Eigen::MatrixXd jacobian;  ///< values x estimates of `coefficients`
};

enum class PredictionScale { kMean, kPredictor };

/// Means or linear predictors at the rows of a matrix with the columns of the fit.
/// @param offset one value a row; empty: 0.
/// @throws std::invalid_argument for another number of columns than the fit has, or of offsets.
Prediction predict(const Regression& fit, const ModelMatrix& rows, PredictionScale scale,
                   const Column& offset = {});
/// Probabilities of the categories: those of the first row, then those of the second ...
Prediction predict(const Ordinal& fit, const ModelMatrix& rows, const Column& offset = {});

/// What is averaged over the rows of a fit.
struct Average {
  /// The fit's matrix, as it is or with some of its factors set (ModelMatrix::with).
  ModelMatrix matrix;
  /// The factor by which the mean is differentiated: average marginal effects. None: the mean.
  std::optional<int> slope = std::nullopt;
  PredictionScale scale = PredictionScale::kMean;
};

/// Weighted averages of predictions or marginal effects over the rows of a fit, to be estimated
/// with its design and domain. Their deviations have both parts of the error: that of the
/// coefficients and that of averaging over a sample. With value a = sum w g(b) / sum w a row's
/// influence is w ((g - a) / sum w + (da/db)^T information^-1 score).
///
/// @throws std::invalid_argument for a matrix of another number of columns.
/// @throws std::out_of_range for a factor that is not there.
/// Reference: Deville (1999), Survey Methodology 25(2); Graubard & Korn (1999), Predictive margins
/// with survey data, Biometrics 55(2).
EstimatorPtr averages(const Regression& fit, std::vector<Average> wanted, const Design& design,
                      const Domains& domains, int threads = 0);

}  // namespace steelyard
