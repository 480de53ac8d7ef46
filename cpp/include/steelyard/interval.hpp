#pragma once

#include <cstdint>

namespace steelyard {

/// A confidence interval. Infinite bounds where it is one-sided.
struct Interval {
  double low;
  double high;
};

enum class Side { kTwo, kLower, kUpper };

/// value -/+ quantile * se, with t on `degrees_of_freedom` (infinite: normal).
Interval wald_interval(double value, double se, double degrees_of_freedom, double level, Side side);

enum class ProportionInterval {
  kWald,             ///< p -/+ t se
  kLogit,            ///< symmetric for log(p / (1 - p))
  kWilson,           ///< score interval with the effective sample size
  kBeta,             ///< Korn–Graubard as R survey's "beta": effective n not limited
  kKornGraubard,     ///< the same with the effective n at most n (NCHS)
  kClopperPearson,   ///< exact binomial with the effective n, not adjusted for degrees of freedom
  kAgrestiCoull,     ///< t se around (p n + t^2 / 2) / (n + t^2), with the effective n
  kArcsine,          ///< symmetric for arcsin(sqrt(p)), which ends at 0 and pi / 2
  kLikelihood,       ///< likelihood ratio of Rao & Scott, as R survey's "likelihood"
  kXlogit = kLogit,  ///< R survey's "xlogit"; its "logit" reaches the same by fitting a model
};

/// What an interval for a proportion is made of.
struct ProportionSummary {
  double proportion;
  double se;
  double degrees_of_freedom;
  std::int64_t n;       ///< answers in the domain
  bool census = false;  ///< the domain was taken whole: there is no sampling error
};

/// Interval for a proportion, within [0, 1] (kWald excepted).
///
/// The effective sample size is p (1 - p) / se^2, in the domain of the estimate. Where p is 0 or 1
/// it is n, and the interval is the exact one-sided one whatever the method: [0, 1 - alpha^(1/n)],
/// unless the domain was taken whole.
///
/// kArcsine: sin^2(arcsin(sqrt(p)) -/+ t se / (2 sqrt(p (1 - p)))), the angle cut off at 0 and
/// pi / 2. R survey does not cut it off: beyond them sin^2 turns back into [0, 1], so that a lower
/// bound below 0 comes out above it, and may exceed p.
///
/// kLikelihood: all p0 with
///   2 (p log(p / p0) + (1 - p) log((1 - p) / (1 - p0))) <= t^2 se^2 / (p (1 - p)) * n / (n - 1).
/// In the intercept-only logistic model the likelihood ratio is n times the left side, with weights
/// that sum to n; its scale under the design is V(b) = (se / (p (1 - p)))^2 over the model's
/// variance 1 / (n p (1 - p)), so that n cancels. The n / (n - 1) is R survey's, which divides the
/// ratio by an estimated dispersion of the residuals. R interpolates a profile of at most 20 points
/// and so differs by 1e-6 to 4e-4; with small steps it comes to these bounds.
///
/// References: Korn & Graubard (1998), Survey Methodology 24(2); Parker et al. (2017), NCHS Data
/// Presentation Standards for Proportions, Vital Health Stat 2(175); Wilson (1927) with the
/// effective size of Kott & Carr (1997); Agresti & Coull (1998), Am Stat 52(2); Franco, Little,
/// Louis & Slud (2019), J Surv Stat Methodol, section 2, for kAgrestiCoull and kArcsine; Rao &
/// Scott (1984), Ann Stat 12(1), for kLikelihood.
Interval proportion_interval(const ProportionSummary& summary, ProportionInterval method,
                             double level, Side side);

/// How sure it is that a proportion is at least (kLower) or at most (kUpper) a bound: the level at
/// which the one-sided interval ends there; 0 or 1 where none, or all, do. Not a number where the
/// interval is none.
double confidence_in_bound(const ProportionSummary& summary, ProportionInterval method, Side side,
                           double bound);

/// The same for a value with a t interval.
double confidence_in_bound(double value, double se, double degrees_of_freedom, Side side,
                           double bound);

}  // namespace steelyard
