#pragma once

#include <Eigen/Core>

#include "steelyard/matrix.hpp"
#include "steelyard/random.hpp"
#include "steelyard/sample_draw.hpp"

namespace steelyard {

/// A balanced sample: one in which sums of x / p over the units drawn come as near as may be to the
/// totals of x, whatever the draw, and each unit has its own probability p.
///
/// Flight: a few units at a time move along directions that keep the sums, until each is in or out.
/// Landing: the last few give up balancing variables, the last first. With p itself among them the
/// size is fixed, and with indicators of strata times p, that of each stratum.
///
/// @param balance units x variables, the most important first.
/// @throws std::invalid_argument for probabilities outside [0, 1], or another number of rows.
/// Reference: Deville & Tillé (2004), Efficient balanced sampling: the cube method, Biometrika
/// 91(4); Chauvet & Tillé (2006), A fast algorithm for balanced sampling, Computational Statistics
/// 21.
Draw draw_balanced(const Eigen::VectorXd& probability, const RowMatrix& balance, Random& random);

}  // namespace steelyard
