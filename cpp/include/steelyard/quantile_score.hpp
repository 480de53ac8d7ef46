#pragma once

#include <optional>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/interval.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

struct ScoreOptions {
  double level = 0.95;
  Side side = Side::kTwo;
  /// None: units minus strata among those with an answer in the domain.
  std::optional<double> degrees_of_freedom = std::nullopt;
};

/// Score intervals of quantiles, in every domain: all theta that a test of F(theta) = p does not
/// reject, |F(theta) - p| <= t se(F(theta)), F the distribution function.
///
/// F and its standard error are steps, so that the set begins at an answer and ends before one:
/// `low` is the first answer not rejected for too low an F, `high` the first rejected for too high
/// an F. Infinite where the set has no end (a side that is not asked for; p of 0 below and of 1
/// above). Not a number where the domain has no answers or F no standard error.
///
/// Each end is found among the answers by trying many at a time, in few passes over the rows. F - p
/// over its error need not ascend everywhere: should the set have gaps, the outer of the ends that
/// were tried is taken. All answers are tried where there are few: up to 128 distinct ones in a
/// sample of up to 4096 units, all domains together.
///
/// R survey's svyquantile(interval.type = "score") looks for the ends by uniroot to a tolerance of
/// 1 / (100 sqrt(n)) in the unit of y, and then takes the quantile at the *unweighted* share of
/// rows at or below the root; where weights differ, that is not the root.
///
/// @param probabilities any order, within [0, 1].
/// @return domains x probabilities, the probabilities of a domain together.
/// @throws std::invalid_argument for no or other probabilities, and for a level outside (0, 1).
/// @throws InvalidColumn for infinite values, and for a column or domains of another length than
///         the sample.
/// Reference: Francisco & Fuller (1991), Quantile estimation with a complex survey design, Annals
/// of Statistics 19(1).
std::vector<Interval> score_intervals(const Design& design, const Domains& domains, const Column& y,
                                      const std::vector<double>& probabilities,
                                      const ScoreOptions& options = {}, int threads = 0);

}  // namespace steelyard
