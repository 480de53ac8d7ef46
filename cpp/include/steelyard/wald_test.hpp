#pragma once

#include <Eigen/Core>

namespace steelyard {

/// What a test statistic is compared with: F, or chi-square where `ddf` is infinite.
struct TestResult {
  double statistic;
  double ndf;  ///< degrees of freedom of the hypothesis
  double ddf;  ///< degrees of freedom of the variance; infinite: chi-square
  double p_value;
};

enum class WaldVariant {
  kChiSquare,  ///< W on k
  kF,          ///< W / k on k and d
  kAdjustedF,  ///< (d - k + 1) / (d k) W on k and d - k + 1
};

/// Eigenvalues of the correlation matrix up to this share of the largest count as 0.
inline constexpr double kRankTolerance = 1e-11;

/// Are k values those of the hypothesis, all at once? W = (values - null)' V^- (values - null).
///
/// V^- is the spectral pseudo-inverse after each value was divided by its standard error, and k is
/// the rank of V: hypotheses that follow from the others (shares that sum to 1) are not counted
/// twice. d are the design's degrees of freedom, which may be infinite: kF and kAdjustedF then give
/// W / k, and its probability is that of chi-square.
///
/// @param values      k
/// @param covariance  k x k, in the squared units of the values
/// @param null        k, or empty: all 0
/// @throws std::invalid_argument when sizes differ, a number is not finite, degrees of freedom are
///         not positive, there is no sampling error at all, a combination of the values has none
///         but is not the hypothesis's, or kAdjustedF is left with no degrees of freedom (d < k).
///
/// References: Fellegi (1980), JASA 75; Thomas & Rao (1987), JASA 82; Korn & Graubard (1990), The
/// American Statistician 44, for kAdjustedF. Variants as R survey's "Wald" and "adjWald".
TestResult wald_test(const Eigen::VectorXd& values, const Eigen::MatrixXd& covariance,
                     double degrees_of_freedom, WaldVariant variant,
                     const Eigen::VectorXd& null = {});

}  // namespace steelyard
