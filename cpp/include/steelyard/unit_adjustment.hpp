#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/model_rows.hpp"
#include "steelyard/regression.hpp"

namespace steelyard {

/// What a working model takes for the variances of rows, which it takes to be uncorrelated.
enum class WorkingVariance {
  /// The same for all: weights are sampling weights.
  kEqual,
  /// Inverse to the weights: rows times the root of their weight are a regression without weights,
  /// of which A_i = (I - W_i^1/2 X_i M X_i^T W_i^1/2)^-1/2.
  kInverseToWeight,
};

/// A unit's part in bias-reduced linearisation, in the k columns of the fit's basis.
struct AdjustedUnit {
  Eigen::VectorXd score;     ///< X_i^T W_i A_i e_i
  Eigen::MatrixXd seen;      ///< X_i^T A_i W_i X_i
  Eigen::MatrixXd weighted;  ///< X_i^T W_i A_i W_i X_i
  Eigen::MatrixXd kept;      ///< X_i^T W_i P W_i X_i, with P the projection on the range of B_i
  Eigen::MatrixXd whole;     ///< X_i^T W_i^2 X_i
  double smallest = 1;       ///< eigenvalue of B_i
  std::int64_t rows = 0;

  explicit AdjustedUnit(Eigen::Index k)
      : score(Eigen::VectorXd::Zero(k)),
        seen(Eigen::MatrixXd::Zero(k, k)),
        weighted(seen),
        kept(seen),
        whole(seen) {}
};

/// Adjusts the residuals of a linear regression unit by unit, with the rows of one in memory.
///
/// B_i differs from the identity on the span of the columns X_i and W_i X_i only. With P an
/// orthonormal basis of it (Householder), A_i = I + P ((P^T B_i P)^-1/2 - I) P^T, of which all that
/// is needed are coordinates in P: at most 2 k eigenvalues, n_i k^2 + k^3 a unit.
/// References: as reduce_bias; Niccodemi, Alessie, Angelini, Mierau & Wansbeek (2020), Refining
/// clustered standard errors with few clusters, for matrices of the size of the regressors.
class UnitAdjustment {
 public:
  /// Refers to the sample.
  UnitAdjustment(const FittedModel& model, const ModelSample& sample, WorkingVariance working);

  AdjustedUnit adjust(Eigen::Index unit) const;

  /// (X^T W X)^-1, at weights relative to their mean.
  const Eigen::MatrixXd& inverse() const { return model_.inverse; }
  /// Covariance of the coefficients under the working model: M (X^T W^2 X) M for equal variances.
  const Eigen::MatrixXd& covariance() const { return covariance_; }

 private:
  const FittedModel& model_;
  const ModelSample& sample_;
  WorkingVariance working_;
  Eigen::MatrixXd covariance_;
  // Runs of consecutive rows of one unit, those of a unit together.
  struct Run {
    Eigen::Index begin = 0;
    Eigen::Index count = 0;
  };
  std::vector<Run> runs_;
  std::vector<std::size_t> first_run_;

  void find_runs();
  /// Columns of one unit's rows, side by side: X, W X unless it is X, e.
  Eigen::MatrixXd read(Eigen::Index unit) const;
};

}  // namespace steelyard
