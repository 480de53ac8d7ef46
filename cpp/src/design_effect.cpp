#include "steelyard/design_effect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "steelyard/parallel.hpp"

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

WeightingEffect weighting_effect(const Design& design, const Domains& domains) {
  const Eigen::Index count = domains.count();
  // Relative to the first weight, so that squares stay in range.
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(count);
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(count);
  WeightingEffect result{{}, std::vector<std::int64_t>(static_cast<std::size_t>(count), 0)};
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  double unit = 0;
  for (Eigen::Index begin = 0; begin < design.rows(); begin += kBlockRows) {
    const RowBlock rows = domains.block(begin, std::min(kBlockRows, design.rows() - begin));
    const double* weight = design.weights(begin, rows.count, buffer.data());
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const std::int32_t d = rows.domain_of(i);
      if (d < 0 || !(weight[i] > 0)) {
        continue;
      }
      unit = unit > 0 ? unit : weight[i];
      const double w = weight[i] / unit;
      sum[d] += w;
      squares[d] += w * w;
      ++result.n[static_cast<std::size_t>(d)];
    }
  }
  result.effect = Eigen::VectorXd::Constant(count, std::numeric_limits<double>::quiet_NaN());
  for (Eigen::Index d = 0; d < count; ++d) {
    const auto n = static_cast<double>(result.n[static_cast<std::size_t>(d)]);
    if (n > 0) {
      result.effect[d] = n * squares[d] / (sum[d] * sum[d]);
    }
  }
  return result;
}

}  // namespace steelyard
