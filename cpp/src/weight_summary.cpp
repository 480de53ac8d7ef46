#include "steelyard/weight_summary.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

namespace steelyard {

WeightSummary summarise(const Eigen::VectorXd& weights) {
  std::vector<double> positive;
  std::copy_if(weights.begin(), weights.end(), std::back_inserter(positive),
               [](double w) { return w > 0; });
  WeightSummary result;
  if (positive.empty()) {
    return result;
  }
  std::sort(positive.begin(), positive.end());
  const std::size_t n = positive.size();
  const auto size = static_cast<double>(n);
  result.rows = static_cast<std::int64_t>(n);
  result.sum = std::accumulate(positive.begin(), positive.end(), 0.0);
  result.smallest = positive.front();
  result.largest = positive.back();
  result.mean = result.sum / size;
  result.median = (positive[(n - 1) / 2] + positive[n / 2]) / 2;
  const double squares =
      std::inner_product(positive.begin(), positive.end(), positive.begin(), 0.0);
  result.effect = size * squares / (result.sum * result.sum);
  const std::size_t top = std::max<std::size_t>(1, n / 100);
  result.top_share =
      std::accumulate(positive.end() - static_cast<std::ptrdiff_t>(top), positive.end(), 0.0) /
      result.sum;
  return result;
}

}  // namespace steelyard
