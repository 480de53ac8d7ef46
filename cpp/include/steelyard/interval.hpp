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
  kWald,            ///< p -/+ t se
  kLogit,           ///< symmetric for log(p / (1 - p))
  kWilson,          ///< score interval with the effective sample size
  kBeta,            ///< Korn–Graubard as R survey's "beta": effective n not limited
  kKornGraubard,    ///< the same with the effective n at most n (NCHS)
  kClopperPearson,  ///< exact binomial with the effective n, not adjusted for degrees of freedom
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
/// References: Korn & Graubard (1998), Survey Methodology 24(2); Parker et al. (2017), NCHS Data
/// Presentation Standards for Proportions, Vital Health Stat 2(175); Wilson (1927) with the
/// effective size of Kott & Carr (1997); Franco, Little, Louis & Slud (2019), J Surv Stat Methodol.
Interval proportion_interval(const ProportionSummary& summary, ProportionInterval method,
                             double level, Side side);

}  // namespace steelyard
