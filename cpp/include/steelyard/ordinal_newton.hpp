#pragma once

#include <Eigen/Core>

#include "steelyard/basis.hpp"
#include "steelyard/cumulative.hpp"
#include "steelyard/family.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/model_rows.hpp"

namespace steelyard {

/// Score contributions of rows: of the basis, then of each threshold.
/// @param into slopes and thresholds x at least rows.
void put_scores(const CumulativeBlock& at, const Eigen::ArrayXd& category, const RowMatrix& z,
                RowMatrix& into);

struct NewtonResult {
  Eigen::VectorXd coefficients;  ///< slopes of the basis, then thresholds
  Eigen::MatrixXd information;   ///< observed; lower triangle
  double deviance;
  double null_deviance;
  int iterations;
};

/// Newton's method on the weighted log-likelihood of ordered categories, at weights relative to
/// their mean.
/// @throws FitError kEmptyCategory, kSeparation, kNoConvergence.
NewtonResult maximise(const ModelSample& sample, const MeanModel& link, const Basis& basis,
                      int most_iterations);

}  // namespace steelyard
