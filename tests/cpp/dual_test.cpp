#include "steelyard/dual.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

/// A function of (x, y), its value and its partial derivatives at (0.7, 2.3).
struct Case {
  const char* name;
  std::function<Dual(const Dual&, const Dual&)> function;
  double value;
  double by_x;
  double by_y;
};

constexpr double kX = 0.7;
constexpr double kY = 2.3;
const Dual kThree{3, {}};

std::vector<Case> cases() {
  return {
      {"x + y", [](const Dual& x, const Dual& y) { return x + y; }, kX + kY, 1, 1},
      {"x - y", [](const Dual& x, const Dual& y) { return x - y; }, kX - kY, 1, -1},
      {"-x", [](const Dual& x, const Dual&) { return -x; }, -kX, -1, 0},
      {"x y", [](const Dual& x, const Dual& y) { return x * y; }, kX * kY, kY, kX},
      {"x / y", [](const Dual& x, const Dual& y) { return x / y; }, kX / kY, 1 / kY,
       -kX / (kY * kY)},
      {"exp(x y)", [](const Dual& x, const Dual& y) { return exp(x * y); }, std::exp(kX * kY),
       kY * std::exp(kX * kY), kX * std::exp(kX * kY)},
      {"log(x)", [](const Dual& x, const Dual&) { return log(x); }, std::log(kX), 1 / kX, 0},
      {"sqrt(y)", [](const Dual&, const Dual& y) { return sqrt(y); }, std::sqrt(kY), 0,
       0.5 / std::sqrt(kY)},
      {"x^y", [](const Dual& x, const Dual& y) { return pow(x, y); }, std::pow(kX, kY),
       kY * std::pow(kX, kY - 1), std::pow(kX, kY) * std::log(kX)},
      {"x^3", [](const Dual& x, const Dual&) { return pow(x, kThree); }, kX * kX * kX, 3 * kX * kX,
       0},
      {"3^y", [](const Dual&, const Dual& y) { return pow(kThree, y); }, std::pow(3, kY), 0,
       std::pow(3, kY) * std::log(3)},
      {"3 - x", [](const Dual& x, const Dual&) { return kThree - x; }, 3 - kX, -1, 0},
      {"3 / x", [](const Dual& x, const Dual&) { return kThree / x; }, 3 / kX, -3 / (kX * kX), 0},
      {"3 x + x", [](const Dual& x, const Dual&) { return kThree * x + x; }, 4 * kX, 4, 0},
      // The log odds ratio, of which the delta method is most used.
      {"logit(x) - logit(y / 3)",
       [](const Dual& x, const Dual& y) {
         const Dual one{1, {}};
         const Dual p = y / kThree;
         return log(x / (one - x)) - log(p / (one - p));
       },
       std::log(kX / (1 - kX)) - std::log(kY / (3 - kY)), 1 / (kX * (1 - kX)),
       -3 / (kY * (3 - kY))},
  };
}

TEST(Dual, KnowsValuesAndDerivatives) {
  const std::vector<Dual> at = variables(Eigen::Vector2d(kX, kY));
  for (const Case& c : cases()) {
    const Dual result = c.function(at[0], at[1]);
    EXPECT_NEAR(result.value, c.value, 1e-14) << c.name;
    ASSERT_EQ(result.gradient.size(), 2) << c.name;
    EXPECT_NEAR(result.gradient[0], c.by_x, 1e-13) << c.name;
    EXPECT_NEAR(result.gradient[1], c.by_y, 1e-13) << c.name;
  }
}

TEST(Dual, ConstantsHaveNoGradient) {
  const Dual two{2, {}};
  for (const Dual& constant : {two + kThree, two - kThree, two * kThree, two / kThree, exp(two),
                               log(two), sqrt(two), pow(two, kThree), -two}) {
    EXPECT_EQ(constant.gradient.size(), 0);
  }
}

TEST(Dual, VariablesDependOnThemselvesOnly) {
  const std::vector<Dual> at = variables(Eigen::Vector3d(4, 5, 6));
  ASSERT_EQ(at.size(), 3);
  EXPECT_EQ(at[1].value, 5);
  EXPECT_EQ(at[1].gradient, Eigen::Vector3d(0, 1, 0));
  EXPECT_TRUE(variables(Eigen::VectorXd()).empty());
}

TEST(Dual, PowersOfNothing) {
  const Dual zero = variables(Eigen::VectorXd::Zero(1))[0];
  const Dual one{1, {}};
  const Dual none{0, {}};
  EXPECT_EQ(pow(zero, kThree).gradient[0], 0);
  EXPECT_EQ(pow(zero, one).gradient[0], 1);
  EXPECT_EQ(pow(zero, none).value, 1);
  EXPECT_EQ(pow(zero, none).gradient[0], 0);  // x^0 is 1 everywhere
}

}  // namespace
}  // namespace steelyard::testing
