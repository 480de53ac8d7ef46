#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <vector>

#include "steelyard/basis.hpp"
#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/family.hpp"
#include "steelyard/model_matrix.hpp"
#include "steelyard/model_rows.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

struct OrdinalOptions {
  Link link = Link::kLogit;  ///< logit (proportional odds), probit or cloglog
  Column offset = {};        ///< added to the linear predictor; empty: 0
  int threads = 0;
  int most_iterations = 100;
};

/// A fit as its estimator needs it: slopes of the basis, then thresholds that go with them.
struct FittedOrdinal {
  ModelData data;
  MeanModel link;
  Basis basis;
  Eigen::VectorXd slopes;
  Eigen::VectorXd thresholds;
  Eigen::MatrixXd inverse;     ///< of the observed information, at relative weights
  Eigen::MatrixXd to_columns;  ///< brings both to those of the columns
  double mean_weight = 1;

  /// Slopes that are not aliased, then thresholds, of the columns.
  Eigen::VectorXd values() const;
};

/// A cumulative link model of ordered categories: F^-1(P(Y <= j)) = threshold_j - x^T slopes, with
/// the signs of R's polr and svyolr.
struct Ordinal {
  Eigen::VectorXd slopes;     ///< one a column; NaN where aliased
  std::vector<bool> aliased;  ///< combinations of earlier columns or of the constant, left out
  Eigen::VectorXd thresholds;
  /// Inverse of the observed information of the slopes that are not aliased and the thresholds, at
  /// weights relative to their mean over the domain.
  Eigen::MatrixXd information_inverse;
  double deviance = 0;       ///< at relative weights: -2 log-likelihood
  double null_deviance = 0;  ///< of the thresholds alone (of no offset)
  int iterations = 0;
  bool converged = false;
  std::int64_t used = 0;
  std::int64_t missing = 0;
  std::shared_ptr<const FittedOrdinal> model;
};

/// Fits ordered categories to the rows of one domain by Newton's method on the weighted
/// log-likelihood.
///
/// @param matrix     an intercept among its columns is aliased: the thresholds are one.
/// @param categories in ascending order; kNone: missing.
/// @throws FitError  kEmptyCategory for a category without a row, with its codes; kSeparation,
///         kNoConvergence, kNothingToFit.
/// @throws InvalidColumn, std::invalid_argument as fit_regression, and for fewer than two
///         categories.
/// Reference: McCullagh (1980), JRSS B 42(2); variances Binder (1983).
Ordinal fit_ordinal(const Design& design, const Domains& domains, ModelMatrix matrix,
                    Codes categories, const OrdinalOptions& options);

/// The slopes that are not aliased, then the thresholds; to be estimated with the design and domain
/// of the fit.
EstimatorPtr coefficients(const Ordinal& fit);

}  // namespace steelyard
