#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "steelyard/basis.hpp"
#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/family.hpp"
#include "steelyard/model_matrix.hpp"
#include "steelyard/model_rows.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

struct RegressionOptions {
  Family family = Family::kGaussian;
  Link link = Link::kIdentity;
  Column offset = {};  ///< added to the linear predictor; empty: 0
  int threads = 0;
  int most_iterations = 100;
};

/// A fit as its estimators need it: in the basis that it was computed in.
struct FittedModel {
  ModelData data;
  MeanModel mean;
  Basis basis;
  Eigen::VectorXd coefficients;  ///< of the basis
  Eigen::MatrixXd inverse;       ///< of the information, at weights relative to their mean
  Eigen::MatrixXd to_columns;    ///< brings coefficients of the basis to those of the columns
  double mean_weight = 1;

  /// The predictor of a block's rows. @param z filled with their regressors in the basis.
  Eigen::ArrayXd predictor(const ModelBlock& block, RowMatrix& z) const;
  /// Score contributions of rows [begin, begin + count), without weights; NaN where a value is
  /// missing. @param into basis.size() x at least count.
  void read_scores(ModelBlock& block, Eigen::Index begin, Eigen::Index count,
                   RowMatrix& into) const;
};

/// A generalised linear model fitted by weighted likelihood (pseudo-maximum likelihood).
struct Regression {
  Eigen::VectorXd coefficients;  ///< one a column; NaN where aliased
  std::vector<bool> aliased;     ///< columns that are combinations of earlier ones, left out
  /// Inverse of the expected information of the columns that are not aliased, at weights relative
  /// to their mean over the domain and a dispersion of 1: R's naive covariance.
  Eigen::MatrixXd information_inverse;
  /// n / (n - 1) times the weighted variance of the Pearson residuals, as R's summary.svyglm
  /// (which, where rows are missing, multiplies it by the mean weight of those used over that of
  /// all).
  double dispersion = 0;
  double deviance = 0;       ///< at relative weights
  double null_deviance = 0;  ///< of the constant alone; without one, of the offset alone
  int iterations = 0;
  bool converged = false;
  std::int64_t used = 0;
  std::int64_t missing = 0;
  std::shared_ptr<const FittedModel> model;
};

/// Fits a regression to the rows of one domain by iteratively reweighted least squares.
///
/// Rescaling all weights changes nothing but rounding. Iterations go on until a step is a hundred
/// thousand millionth of a standard error; each reads the columns once.
///
/// @param domains one domain.
/// @throws FitError  kOutOfRange, kNothingToFit, kNoConvergence; kSeparation when coefficients of
///         a binomial or Poisson model are infinite.
/// @throws InvalidColumn for columns of another length than the design, or infinite values.
/// @throws std::invalid_argument for more than one domain, or a link the family does not have.
/// Reference: McCullagh & Nelder (1989), section 2.5; Binder (1983), On the variances of
/// asymptotically normal estimators from complex surveys, International Statistical Review 51(3).
Regression fit_regression(const Design& design, const Domains& domains, ModelMatrix matrix,
                          Column response, const RegressionOptions& options);

/// The same model under the weights of another design; none where it cannot be fitted, or other
/// columns are aliased.
std::optional<Regression> refit(const FittedModel& model, const Design& design,
                                const Domains& domains);

/// The coefficients that are not aliased, in the order of their columns. A row's influence is
/// weight * information^-1 * score (Binder 1983); to be estimated with the design and domain of the
/// fit.
EstimatorPtr coefficients(const Regression& fit);

}  // namespace steelyard
