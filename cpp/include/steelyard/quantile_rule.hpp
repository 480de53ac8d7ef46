#pragma once

#include <Eigen/Core>
#include <span>
#include <string_view>
#include <vector>

namespace steelyard {

/// How the quantile of a weighted sample is read off its cumulative weights.
///
/// x_1 <= ... <= x_n are the observations with a positive weight, w_k their weights, C_k the sum of
/// w_1 ... w_k and W = C_n. Equal values keep the order of the rows. "Linear" joins the points
/// (share_k, x_k) by lines; it is x_1 below the first and x_n above the last.
///
/// References: Hyndman & Fan (1996), Sample quantiles in statistical packages, Am Stat 50(4), whose
/// numbers the names bear; Lumley, "Estimating quantiles", vignette of R survey 4.1, for weights in
/// place of counts; Shah & Vaish (2006), Proc ASA Section on Survey Research Methods; SAS/STAT,
/// PROC SURVEYMEANS, "Quantiles"; Base SAS, PROC UNIVARIATE, "Calculating percentiles"; Stata
/// [D] pctile, "Methods and formulas".
enum class QuantileRule {
  kHf1,  ///< smallest x_k with C_k >= p W: the inverse of the distribution function
  kHf2,  ///< kHf1, but (x_k + x_(k+1)) / 2 where C_k = p W
  /// kHf1 over distinct values, but of the two values at C_k = p W the one of even rank. R survey
  /// has it so; type 3 of Hyndman & Fan and of R's quantile() is kSas2.
  kHf3,
  kHf4,          ///< linear, share_k = C_k / W
  kHf5,          ///< linear, share_k = (C_k - w_k / 2) / W
  kHf6,          ///< linear, share_k = C_k / (W + w_n)
  kHf7,          ///< linear, share_k = C_(k-1) / (W - w_n)
  kHf8,          ///< linear, share_k = (C_k - w_k / 3) / (W + w_n / 3)
  kHf9,          ///< linear, share_k = (C_k - 3 w_k / 8) / (W + w_n / 4)
  kShahVaish,    ///< largest x_k with (n (C_k - w_k / 2) / W + 1/2) / (n + 1) <= p, else x_1
  kSurveymeans,  ///< SAS PROC SURVEYMEANS: kHf4 over distinct values
  kSas2,         ///< PCTLDEF=2: the x_k with C_k nearest to p W; halfway, the one of even position

  // The same under another name. SAS defines PCTLDEF for unweighted observations and takes kSas5
  // whenever there is a WEIGHT statement.
  kMath = kHf1,
  kSchool = kHf2,
  kSas1 = kHf4,
  kSas3 = kHf1,
  kSas4 = kHf6,
  kSas5 = kHf2,
  kStata = kHf2,  ///< _pctile and summarize, detail
};

struct NamedQuantileRule {
  std::string_view name;
  QuantileRule rule;
};

/// Every rule under each of its names: "math", "school", "shahvaish", "hf1" ... "hf9", "sas1" ...
/// "sas5", "surveymeans", "stata".
std::span<const NamedQuantileRule> named_quantile_rules();

/// @throws std::invalid_argument listing the names, when `name` is none of them.
QuantileRule quantile_rule(std::string_view name);

/// A sample sorted once, for many quantiles by any rule. Keeps 24 bytes an observation.
///
/// Ties of C_k with p W are decided in exact arithmetic on the numbers given: sums of weights and
/// products with p are held to twice the precision of double. The 100th of 200 equal weights is
/// exactly half whatever their unit; and p = 0.1 is the double nearest to one tenth, which is a
/// little more, so that the 20th of them does not reach it.
class WeightedSample {
 public:
  /// @param values   n values in the unit of the quantiles; missing ones left out by the caller.
  /// @param weights  n weights >= 0. Observations that weigh nothing are dropped.
  /// @throws InvalidColumn naming "value" or "weight" and the first rows: lengths that differ,
  ///   values or weights that are NaN or infinite, negative weights, no positive weight.
  /// @throws std::overflow_error when the weights sum to infinity.
  WeightedSample(std::vector<double> values, std::vector<double> weights);

  /// Observations with a positive weight.
  Eigen::Index size() const { return static_cast<Eigen::Index>(values_.size()); }
  double total_weight() const { return cumulative_.back(); }

  /// Share of the weight at values <= x, in [0, 1].
  /// @throws std::invalid_argument when x is NaN.
  double cdf(double x) const;

  /// The quantile at p in [0, 1], in O(log n). The smallest observation at p = 0 and the largest at
  /// p = 1, and never outside them: R survey 4.1 returns the second observation (hf1, hf2, hf3) or
  /// extrapolates (hf4) where p is below the first share. kHf3 at C_k = p W counts the distinct
  /// values below, in O(n).
  /// @throws std::invalid_argument unless 0 <= p <= 1.
  double quantile(double p, QuantileRule rule) const;

 private:
  double value(Eigen::Index k) const { return values_[static_cast<std::size_t>(k)]; }
  /// Sum of the weights of observations 0 ... k; 0 for k = -1.
  double through(Eigen::Index k) const {
    return k < 0 ? 0 : cumulative_[static_cast<std::size_t>(k)];
  }
  double excess(Eigen::Index k, double p) const;
  Eigen::Index first_reaching(double p) const;
  Eigen::Index last_equal_to(Eigen::Index k) const;

  double step(double p, bool average) const;
  double even_step(double p) const;
  double nearest(double p) const;
  double linear(double p, double before, double last) const;
  double linear_over_distinct(double p) const;
  double shah_vaish(double p) const;

  std::vector<double> values_;      // ascending
  std::vector<double> cumulative_;  // C_k, each rounded once
  std::vector<double> remainder_;   // what the rounding left out
};

}  // namespace steelyard
