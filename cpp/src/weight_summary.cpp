#include "steelyard/weight_summary.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

namespace steelyard {

WeightSummary summarise(const Eigen::VectorXd& weights) {
  std::vector<double> others;  // all but 0: a calibration may make negative ones
  std::copy_if(weights.begin(), weights.end(), std::back_inserter(others),
               [](double w) { return w != 0; });
  WeightSummary result;
  if (others.empty()) {
    return result;
  }
  const auto n = static_cast<std::ptrdiff_t>(others.size());
  const auto size = static_cast<double>(n);
  const auto [smallest, largest] = std::minmax_element(others.begin(), others.end());
  result.rows = n;
  result.sum = std::accumulate(others.begin(), others.end(), 0.0);
  result.smallest = *smallest;
  result.largest = *largest;
  result.mean = result.sum / size;
  const double squares = std::inner_product(others.begin(), others.end(), others.begin(), 0.0);
  result.effect = size * squares / (result.sum * result.sum);
  const auto middle = others.begin() + n / 2;
  std::nth_element(others.begin(), middle, others.end());
  const double below = n % 2 == 1 ? *middle : *std::max_element(others.begin(), middle);
  result.median = (below + *middle) / 2;
  // The upper half is behind the middle already; sorted, so that the sum has one order.
  const auto top = others.end() - std::max<std::ptrdiff_t>(1, n / 100);
  std::nth_element(middle, top, others.end());
  std::sort(top, others.end());
  result.top_share = std::accumulate(top, others.end(), 0.0) / result.sum;
  return result;
}

FactorRange factor_range(const Eigen::VectorXd& before, const Eigen::VectorXd& after) {
  FactorRange result;
  bool any = false;
  for (Eigen::Index row = 0; row < before.size(); ++row) {
    result.negative += after[row] < 0 ? 1 : 0;
    if (before[row] > 0 && after[row] != 0) {
      const double factor = after[row] / before[row];
      result.smallest = any ? std::min(result.smallest, factor) : factor;
      result.largest = any ? std::max(result.largest, factor) : factor;
      any = true;
    }
  }
  return result;
}

}  // namespace steelyard
