#include "steelyard/design_effect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace steelyard {

double simple_random_variance(const SimpleRandomSampling& sample, const Eigen::VectorXd& gradient,
                              const Eigen::VectorXd& sums, const Eigen::MatrixXd& second,
                              bool replacement) {
  if (sample.n < 2 || !(sample.population > 0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const auto n = static_cast<double>(sample.n);
  const Eigen::VectorXd mean = sums / sample.population;
  const Eigen::MatrixXd spread = second / sample.population - mean * mean.transpose();
  const double variance = std::max(0.0, gradient.dot(spread * gradient)) * n / (n - 1);
  const double with_replacement = sample.population * sample.population * variance / n;
  return replacement ? with_replacement
                     : with_replacement * std::max(0.0, 1 - n / sample.population);
}

}  // namespace steelyard
