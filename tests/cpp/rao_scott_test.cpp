#include "steelyard/rao_scott.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "samples.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard::testing {
namespace {

constexpr RaoScott kAll[] = {RaoScott::kFirstOrder,  RaoScott::kFirstOrderF,
                             RaoScott::kSecondOrder, RaoScott::kSecondOrderF,
                             RaoScott::kSaddlepoint, RaoScott::kSaddlepointF,
                             RaoScott::kExact,       RaoScott::kExactF};

const Eigen::Vector3d kEffects(3, 1.5, 0.5);

void expect_relative(double value, double expected, double tolerance = 1e-12) {
  EXPECT_NEAR(value / expected, 1, tolerance);
}

void expect_result(const TestResult& result, double statistic, double ndf, double ddf) {
  EXPECT_DOUBLE_EQ(result.statistic, statistic);
  EXPECT_DOUBLE_EQ(result.ndf, ndf);
  EXPECT_DOUBLE_EQ(result.ddf, ddf);
}

// Sum 5, sum of squares 11.5: q = 25 / 11.5.
TEST(RaoScott, MatchesMomentsAsItSays) {
  const double q = 25 / 11.5;
  expect_result(rao_scott_test(10, kEffects, 14, RaoScott::kFirstOrder), 6, 3, kInfinity);
  expect_result(rao_scott_test(10, kEffects, 14, RaoScott::kFirstOrderF), 2, 3, 42);
  expect_result(rao_scott_test(10, kEffects, 14, RaoScott::kSecondOrder), 2 * q, q, kInfinity);
  expect_result(rao_scott_test(10, kEffects, 14, RaoScott::kSecondOrderF), 2, q, 14 * q);
  expect_result(rao_scott_test(10, kEffects, 14, RaoScott::kExact), 10, 3, kInfinity);
  expect_result(rao_scott_test(10, kEffects, 14, RaoScott::kExactF), 10, 3, 14 * q);
}

TEST(RaoScott, JudgesByTheDistributionItSays) {
  const double q = 25 / 11.5;
  const auto p = [](RaoScott correction) {
    return rao_scott_test(10, kEffects, 14, correction).p_value;
  };
  EXPECT_DOUBLE_EQ(p(RaoScott::kFirstOrder), chi_square_upper_tail(6, 3));
  EXPECT_DOUBLE_EQ(p(RaoScott::kFirstOrderF), f_upper_tail(2, 3, 42));
  EXPECT_DOUBLE_EQ(p(RaoScott::kSecondOrder), chi_square_upper_tail(2 * q, q));
  EXPECT_DOUBLE_EQ(p(RaoScott::kSecondOrderF), f_upper_tail(2, q, 14 * q));
  EXPECT_NEAR(p(RaoScott::kExact) / p(RaoScott::kSecondOrder), 1, 0.1);
  EXPECT_NEAR(p(RaoScott::kExactF) / p(RaoScott::kSecondOrderF), 1, 0.1);
  EXPECT_NEAR(p(RaoScott::kSaddlepoint) / p(RaoScott::kExact), 1, 0.05);
  EXPECT_NEAR(p(RaoScott::kSaddlepointF) / p(RaoScott::kExactF), 1, 0.05);
  EXPECT_GT(p(RaoScott::kExactF), p(RaoScott::kExact));
}

TEST(RaoScott, WithEqualEffectsAllCorrectionsAgree) {
  const Eigen::Vector3d equal(2, 2, 2);
  for (const RaoScott chi : {RaoScott::kFirstOrder, RaoScott::kSecondOrder, RaoScott::kExact}) {
    expect_relative(rao_scott_test(300, equal, 14, chi).p_value, chi_square_upper_tail(150, 3));
  }
  for (const RaoScott f : {RaoScott::kFirstOrderF, RaoScott::kSecondOrderF, RaoScott::kExactF}) {
    expect_relative(rao_scott_test(300, equal, 14, f).p_value, f_upper_tail(50, 3, 42));
  }
}

TEST(RaoScott, WithInfiniteDegreesOfFreedomFIsChiSquare) {
  for (int i = 0; i < 8; i += 2) {
    expect_relative(rao_scott_test(10, kEffects, kInfinity, kAll[i + 1]).p_value,
                    rao_scott_test(10, kEffects, kInfinity, kAll[i]).p_value);
  }
}

TEST(RaoScott, FindsNothingWhereThereIsNoDifference) {
  for (const RaoScott correction : kAll) {
    EXPECT_EQ(rao_scott_test(0, kEffects, 14, correction).p_value, 1);
  }
}

TEST(RaoScott, RefusesWhatItCannotJudge) {
  for (const RaoScott correction : kAll) {
    const auto refused = [&](double x, const Eigen::VectorXd& effects, double df) {
      EXPECT_THROW(rao_scott_test(x, effects, df, correction), std::invalid_argument);
    };
    refused(kNaN, kEffects, 14);
    refused(-1, kEffects, 14);
    refused(kInfinity, kEffects, 14);
    refused(1, {}, 14);
    refused(1, Eigen::Vector3d::Zero(), 14);
    refused(1, Eigen::Vector3d(1, -0.1, 1), 14);
    refused(1, Eigen::Vector3d(1, kNaN, 1), 14);
    refused(1, kEffects, 0);
    refused(1, kEffects, kNaN);
  }
}

}  // namespace
}  // namespace steelyard::testing
