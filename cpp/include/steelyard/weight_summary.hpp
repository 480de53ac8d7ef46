#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace steelyard {

/// How unequal weights are, among the rows that have one other than 0.
struct WeightSummary {
  std::int64_t rows = 0;
  double sum = 0;
  double smallest = 0;
  double median = 0;
  double mean = 0;
  double largest = 0;
  /// n sum of w^2 / (sum of w)^2. Reference: Kish (1992), Journal of Official Statistics 8(2).
  double effect = 0;
  /// Share of the sum that the largest weights hold, one in a hundred of the rows, at least one.
  double top_share = 0;
};

/// All zero where no row has a weight.
WeightSummary summarise(const Eigen::VectorXd& weights);

/// By how much weights changed, where there is one before and after.
struct FactorRange {
  double smallest = 1;
  double largest = 1;
  std::int64_t negative = 0;  ///< rows with a weight below 0 after
};

FactorRange factor_range(const Eigen::VectorXd& before, const Eigen::VectorXd& after);

}  // namespace steelyard
