#pragma once

namespace steelyard {

/// Quantiles and tail probabilities. Infinite degrees of freedom mean the normal distribution.
double normal_quantile(double p);
double t_quantile(double p, double degrees_of_freedom);
/// P(T > t), with its relative precision kept far in the tail.
double t_upper_tail(double t, double degrees_of_freedom);
/// Quantile of the beta distribution; 0 where a is 0, 1 where b is 0.
double beta_quantile(double p, double a, double b);

/// P(chi-square > x), with its relative precision kept far in the tail; 1 where x is not positive.
/// Degrees of freedom need not be whole numbers.
/// @throws std::invalid_argument when x is not a number or degrees of freedom are not positive and
///         finite.
double chi_square_upper_tail(double x, double degrees_of_freedom);
/// P(F > x), with its relative precision kept far in the tail; 1 where x is not positive. Infinite
/// `denominator` degrees of freedom mean chi-square / numerator.
/// @throws std::invalid_argument when x is not a number, the numerator's degrees of freedom are not
///         positive and finite, or the denominator's are not positive.
double f_upper_tail(double x, double numerator, double denominator);
/// Quantiles of the two, p being the probability below.
/// @throws std::invalid_argument for such degrees of freedom, or p not within [0, 1).
double chi_square_quantile(double p, double degrees_of_freedom);
double f_quantile(double p, double numerator, double denominator);

}  // namespace steelyard
