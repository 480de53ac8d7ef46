#pragma once

#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Cronbach's alpha of several items, over the rows that answered all of them:
/// k / (k - 1) (1 - sum of the items' variances / variance of their sum).
///
/// @throws std::invalid_argument for fewer than two items.
/// Reference: Cronbach (1951), Psychometrika 16(3); as R survey's svycralpha.
EstimatorPtr cronbach_alpha(const std::vector<Column>& items, const Design& design,
                            const Domains& domains, int threads = 0);

}  // namespace steelyard
