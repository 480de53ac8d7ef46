#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "steelyard/quantile_rule.hpp"

namespace steelyard::testing {
namespace {

using Rule = QuantileRule;

// Equal weights of 30.97 = 6194 / 200, as in apisrs. The double 0.1 is more than a tenth, so the
// 20th of 200 values does not reach it; the double 0.3 is less than three tenths.
TEST(QuantileTies, DecidesTiesByTheNumbersGiven) {
  Values values;
  for (int i = 1; i <= 200; ++i) {
    values.push_back(i);
  }
  const WeightedSample sample(values, Values(200, 30.97));
  for (int percent = 1; percent < 100; ++percent) {
    const double p = percent / 100.0;
    const double over = std::fma(p, 200, -2 * percent);  // exact
    EXPECT_EQ(sample.quantile(p, Rule::kHf1), over > 0 ? 2 * percent + 1 : 2 * percent);
    const double two = over == 0 ? 2 * percent + 0.5 : (over > 0 ? 2 * percent + 1 : 2 * percent);
    EXPECT_EQ(sample.quantile(p, Rule::kHf2), two);
    EXPECT_NEAR(sample.quantile(p, Rule::kHf4), 2 * percent, 1e-11);
  }
  EXPECT_EQ(sample.quantile(0.1, Rule::kHf1), 21);
  EXPECT_EQ(sample.quantile(0.3, Rule::kHf1), 60);
  EXPECT_EQ(sample.quantile(0.5, Rule::kHf2), 100.5);
  EXPECT_EQ(WeightedSample({1, 2}, {1, 1 + 0x1p-52}).quantile(0.5, Rule::kHf2), 2);
}

/// kHf1 and kHf2 of the values 1 ... n with integer weights at `numerator` / 1024, in integers.
std::pair<double, double> in_integers(const std::vector<std::int64_t>& weights,
                                      std::int64_t numerator) {
  std::int64_t total = 0;
  for (const std::int64_t weight : weights) {
    total += weight;
  }
  std::int64_t cumulative = 0;
  double value = 0;
  for (const std::int64_t weight : weights) {
    cumulative += weight;
    ++value;
    if (1024 * cumulative >= numerator * total) {
      break;
    }
  }
  return {value, 1024 * cumulative == numerator * total ? value + 0.5 : value};
}

// Weights and probabilities are numbers that doubles hold.
TEST(QuantileTies, IsThatOfArithmeticInIntegers) {
  Random random(5);
  for (const double unit : {1.0, 0.375, 0x1p-40, 3 * 0x1p30}) {
    std::vector<std::int64_t> integers;
    Values weights;
    Values values;
    for (int i = 1; i <= 2000; ++i) {
      integers.push_back(1 + random.below(9));
      weights.push_back(static_cast<double>(integers.back()) * unit);
      values.push_back(i);
    }
    const WeightedSample sample(values, weights);
    for (std::int64_t p = 1; p < 1024; ++p) {
      const auto [hf1, hf2] = in_integers(integers, p);
      EXPECT_EQ(sample.quantile(static_cast<double>(p) / 1024, Rule::kHf1), hf1) << unit;
      EXPECT_EQ(sample.quantile(static_cast<double>(p) / 1024, Rule::kHf2), hf2) << unit;
    }
  }
}

TEST(QuantileTies, OfAMillionRowsFindsEveryTie) {
  constexpr int kRows = 1 << 20;
  Values values(kRows);
  for (int i = 0; i < kRows; ++i) {
    values[static_cast<std::size_t>(i)] = kRows - i;
  }
  const WeightedSample sample(values, Values(kRows, 0.1));
  for (int p = 1; p < 1024; ++p) {
    EXPECT_EQ(sample.quantile(p / 1024.0, Rule::kHf1), 1024 * p);
    EXPECT_EQ(sample.quantile(p / 1024.0, Rule::kHf2), 1024 * p + 0.5);
  }
}

}  // namespace
}  // namespace steelyard::testing
