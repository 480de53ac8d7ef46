#pragma once

namespace steelyard {

/// Quantiles and tail probabilities. Infinite degrees of freedom mean the normal distribution.
double normal_quantile(double p);
double t_quantile(double p, double degrees_of_freedom);
/// P(T > t), with its relative precision kept far in the tail.
double t_upper_tail(double t, double degrees_of_freedom);
/// Quantile of the beta distribution; 0 where a is 0, 1 where b is 0.
double beta_quantile(double p, double a, double b);

}  // namespace steelyard
