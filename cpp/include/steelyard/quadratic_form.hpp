#pragma once

#include <Eigen/Core>

namespace steelyard {

/// A quadratic form in normal variables: the sum of coefficient * chi-square, independent.
///
/// It is the law of a test statistic that would be chi-square under simple random sampling: the
/// coefficients are its design effects.
struct QuadraticForm {
  Eigen::VectorXd coefficients;        ///< at least 0, one of them positive
  Eigen::VectorXd degrees_of_freedom;  ///< of each chi-square, whole or not; empty: 1 each
};

enum class TailMethod {
  kSatterthwaite,  ///< one scaled chi-square with the mean and the variance of the form
  kSaddlepoint,    ///< the form's cumulant function at one point; up to 17 % off far out
  kExact,          ///< the form's characteristic function, inverted numerically
};

/// P(form > x); 1 where x is not positive.
///
/// kSatterthwaite: with a the coefficients, sum(a) and sum(a^2) over all degrees of freedom, the
///   law of scale * chi-square(d), scale = sum(a^2) / sum(a), d = sum(a)^2 / sum(a^2).
/// kSaddlepoint: 1 - Phi(w + log(v / w) / w), w = sign(s) sqrt(2 (s x - K(s))), v = s sqrt(K''(s)),
///   where K is the cumulant function and K'(s) = x. Continuous at the mean, where it is 0 / 0.
/// kExact: (1 / 2 pi i) times the integral of exp(K(s) - s x) / s over a path that crosses the real
///   axis at a saddlepoint of the integrand, so that the relative error is about 1e-13 however far
///   in the tail x lies.
///
/// References: Satterthwaite (1946), Biometrics Bulletin 2; Kuonen (1999), Saddlepoint
/// approximations for distributions of quadratic forms in normal variables, Biometrika 86;
/// Imhof (1961), Biometrika 48; Rice (1980), SIAM J Sci Stat Comput 1, for the path of integration.
/// @throws std::invalid_argument when x is not a number, a coefficient is negative or not finite,
///         none is positive, or degrees of freedom are not positive or not as many.
double quadratic_form_upper_tail(double x, const QuadraticForm& form, TailMethod method);

/// P(form / (chi-square(denominator) / denominator) > x), the chi-square being independent of the
/// form. Infinite `denominator` degrees of freedom mean the form alone.
///
/// kSatterthwaite: F on d and `denominator` degrees of freedom. The others: the probability that
/// form - (x / denominator) * chi-square(denominator) exceeds 0.
/// @throws std::invalid_argument as above, or when `denominator` is not positive.
double quadratic_form_ratio_upper_tail(double x, const QuadraticForm& form, double denominator,
                                       TailMethod method);

}  // namespace steelyard
