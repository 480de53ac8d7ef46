#pragma once

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Gini coefficient in every domain: half the mean difference between two members of the population
/// drawn with replacement, over the mean,
///   G = sum over k, l of w_k w_l |y_k - y_l| / (2 W Y),  W = sum of w,  Y = sum of w y.
///
/// Of the weighted definitions this is the one that a row of weight w and two rows of weight w / 2
/// agree on: 2 sum of w_k M_k y_k / (W Y) - 1, with M_k the weight below y_k and half of that at
/// y_k. The order of equal values does not matter. Without weights it is that with n in place of
/// n - 1.
///
/// A row's influence is the exact derivative by its weight,
///   z_k = sum over l of w_l |y_k - y_l| / (W Y) - G (1 / W + y_k / Y).
///
/// @param y values >= 0; NaN is left out. Not a number in a domain where all values are 0.
/// @throws InvalidColumn for negative (kNegative) or infinite values among rows of a domain with a
///         positive weight, and for a column or domains of another length than the sample.
/// @throws std::overflow_error where weighted sums leave the range of double.
/// References: Langel & Tillé (2013), Variance estimation of the Gini index: revisiting a result
/// several times published, JRSS A 176(2), sections 3 and 4; Deville (1999), Survey Methodology
/// 25(2).
EstimatorPtr gini(const Column& y, const Design& design, const Domains& domains, int threads = 0);

/// Parts of the population, each within (0, 1).
struct IncomeShares {
  double richest = 0.2;
  double poorest = 0.2;
};

/// What the richest have in all, over what the poorest have in all, in every domain. {0.1, 0.4}
/// is the Palma ratio.
///
/// The population at the cut-off counts in part, so that exactly the share given is added up: with
/// q the p-quantile, the poorest have L(p) = sum of w y below q + q (p W - weight below q), and the
/// richest Y - L(1 - p). Neither the order of equal values nor the splitting of a row into two of
/// half the weight changes it, and it is continuous in the weights. (Eurostat takes whole rows:
/// y <= q20 and y > q80.)
///
/// A row's influence on L(p) is its exact derivative p q - max(q - y, 0), which holds what the
/// cut-off contributes: the density at q, by which Osier divides, cancels. Where p W falls between
/// two values, q is halfway between them.
///
/// @param y NaN is left out. Not a number in a domain where the poorest have 0 or less in all.
/// @throws std::invalid_argument for shares outside (0, 1).
/// @throws InvalidColumn for infinite values, and for a column or domains of another length.
/// @throws std::overflow_error where weighted sums leave the range of double.
/// References: Langel & Tillé (2011), Statistical inference for the quintile share ratio, Journal
/// of Statistical Planning and Inference 141(8); Osier (2009), Survey Research Methods 3(3).
EstimatorPtr share_ratio(const Column& y, const Design& design, const Domains& domains,
                         const IncomeShares& shares = {}, int threads = 0);
/// S80/S20.
inline EstimatorPtr quintile_share_ratio(const Column& y, const Design& design,
                                         const Domains& domains, int threads = 0) {
  return share_ratio(y, design, domains, {}, threads);
}

}  // namespace steelyard
