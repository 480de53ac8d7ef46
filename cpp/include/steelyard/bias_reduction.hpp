#pragma once

#include <Eigen/Core>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/estimates.hpp"
#include "steelyard/regression.hpp"
#include "steelyard/sums.hpp"
#include "steelyard/unit_adjustment.hpp"

namespace steelyard {

/// Which adjusted scores are centred, by the design's map, before they are squared.
enum class ScoreCentring {
  /// Within strata, where there are several. With one, the fit has centred them already: the
  /// CR2 estimator as published, whose expectation is exact under the working model.
  kStratified,
  /// Always, as R's survey (4.2 and later): with one stratum of m units the variance of a mean is
  /// m / (m - 1) times that of kStratified, nearly.
  kAlways,
};

struct BiasReductionOptions {
  WorkingVariance working = WorkingVariance::kEqual;
  ScoreCentring centring = ScoreCentring::kStratified;
  int threads = 0;
};

/// Estimates whose variances are right on average, with few units too, under a working model.
struct BiasReduced {
  /// Deviations have one row a unit of the first stage. Their own degrees of freedom are those of
  /// the design, for what is made of several estimates.
  Estimates estimates;
  /// Of each estimate's variance: Satterthwaite's, under the working model.
  Eigen::VectorXd degrees_of_freedom;
  /// What each variance expects under the working model, over what it estimates. 1 with one
  /// stratum, as centred by kStratified. Below 1 where a unit alone decides on a coefficient, so
  /// that nothing of its error can be seen, and where lonely strata add nothing; a little above 1
  /// with several strata.
  Eigen::VectorXd expectation;
};

/// Bias-reduced linearisation (CR2, "Bell-McCaffrey") of the coefficients of a linear regression.
///
/// The residuals e_i of a unit's rows are multiplied by A_i, the symmetric square root of the
/// inverse of B_i, their covariance under the working model over its variance. With M =
/// (X^T W X)^-1 and rows I of the unit
///   B_i = I - X_i M X_i^T W_i - W_i X_i M X_i^T + X_i M (X^T W^2 X) M X_i^T,  for equal variances,
/// which is I - H_ii for equal weights. Where a unit alone decides on a combination of coefficients
/// (an indicator of one unit), B_i is singular and its pseudo-inverse is taken: that combination
/// adds nothing, see BiasReduced::expectation. A unit's score is u_i = M X_i^T W_i A_i e_i.
///
/// Deviations are sqrt(1 - f) u_i with one stratum. With several, scores are adjusted first and
/// then centred by the design's map, sqrt((1 - f_h) n_h / (n_h - 1)) (u_hi - mean_h): strata may
/// have levels of their own that the regression leaves out. Degrees of freedom are those of the
/// quadratic form that results: (trace G)^2 / trace G^2, for rows g_i of which the deviations are
/// g_i^T y. They cost units x columns^2 in time and units x columns in memory, for each
/// combination; no matrix of rows x rows or units x units is made.
///
/// NaN, with NaN deviations, for coefficients of which no unit's residuals show an error. The
/// design's degrees of freedom, and deviations of 0, where every unit was certain to be sampled.
///
/// @param design  of one stage, with the rows and domains of the fit.
/// @param combinations of the coefficients that are not aliased, one a row; empty: each of them.
/// @throws DesignError kNoDegreesOfFreedom where fewer than two units have a row used.
/// @throws std::invalid_argument for a family other than the Gaussian, a fit to other rows,
///         combinations of another number of coefficients, a design of several stages, one with a
///         quadratic form, one with a policy for lonely strata in a domain, and one with lonely
///         strata under kAdjust.
/// References: Bell & McCaffrey (2002), Bias reduction in standard errors for linear regression
/// with multi-stage samples, Survey Methodology 28(2); McCaffrey & Bell (2006), Statistics in
/// Medicine 25; Pustejovsky & Tipton (2018), Small-sample methods for cluster-robust variance
/// estimation, JBES 36(4).
BiasReduced reduce_bias(const Regression& fit, const Design& design, const SampleKeys& keys,
                        const Domains& domains, const BiasReductionOptions& options = {},
                        const Eigen::MatrixXd& combinations = {});

/// The same for the mean of a column in each domain: the regression on a constant.
///
/// NaN in domains with fewer than two units, whose deviations are those of the mean. With equal
/// totals of weights in all units and equal weights in each, variance and degrees of freedom of one
/// stratum are the textbook's: s^2 / m on m - 1.
/// @throws InvalidColumn for a column of another length than the design, or infinite values.
BiasReduced reduce_bias_of_means(const Column& y, const Design& design, const SampleKeys& keys,
                                 const Domains& domains, const BiasReductionOptions& options = {});

}  // namespace steelyard
