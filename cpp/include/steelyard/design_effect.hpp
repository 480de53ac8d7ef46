#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// What simple random sampling would have given in one domain.
struct SimpleRandomSampling {
  std::int64_t n = 0;     ///< rows used
  double population = 0;  ///< sum of their weights
};

/// Variance of a linearised estimate under simple random sampling of the same number of rows:
/// population^2 s^2 / n, times (1 - n / population) without replacement, where s^2 is the weighted
/// variance of gradient * features with divisor n - 1.
///
/// NaN when n < 2; without replacement 0 when the sample is as large as the population.
/// Reference: Kish (1965), section 8.2; as R survey's svymean(deff=TRUE) and "replace".
double simple_random_variance(const SimpleRandomSampling& sample, const Eigen::VectorXd& gradient,
                              const Eigen::VectorXd& sums, const Eigen::MatrixXd& second,
                              bool replacement);

/// What unequal weights alone cost, in every domain: n sum of w^2 / (sum of w)^2, 1 where all weigh
/// alike. NaN where no row has a weight.
///
/// Reference: Kish (1965), section 11.7; Kish (1992), Journal of Official Statistics 8(2).
struct WeightingEffect {
  Eigen::VectorXd effect;
  std::vector<std::int64_t> n;  ///< rows with a positive weight
};
WeightingEffect weighting_effect(const Design& design, const Domains& domains);

}  // namespace steelyard
