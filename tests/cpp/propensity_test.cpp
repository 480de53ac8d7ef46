#include "steelyard/propensity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "responses.hpp"
#include "weightings.hpp"

namespace steelyard::testing {
namespace {

/// Probabilities to respond, by Newton's method in rows x rows.
VectorXd fitted_probabilities(const Rows& rows) {
  MatrixXd regressors(rows.count(), 3);
  regressors << VectorXd::Ones(rows.count()), rows.x, rows.z;
  VectorXd weight = rows.weights;
  VectorXd answer(rows.count());
  for (Eigen::Index row = 0; row < rows.count(); ++row) {
    answer[row] = rows.responded[static_cast<std::size_t>(row)];
    weight[row] *= rows.eligible[static_cast<std::size_t>(row)];
  }
  VectorXd b = VectorXd::Zero(3);
  VectorXd p;
  for (int i = 0; i < 30; ++i) {
    p = (1 / (1 + (-(regressors * b).array()).exp())).matrix();
    const VectorXd spread = weight.array() * p.array() * (1 - p.array());
    b += (regressors.transpose() * spread.asDiagonal() * regressors).inverse() *
         (regressors.transpose() * weight.cwiseProduct(answer - p));
  }
  return p;
}

TEST(Propensity, DividesByTheProbabilityToRespond) {
  const Rows rows = random_rows(300, 1);
  const VectorXd p = fitted_probabilities(rows);
  const VectorXd found = propensity(rows)->apply(before(rows.weights), 1).weights;
  for (Eigen::Index row = 0; row < rows.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const double factor = rows.eligible[at] == 0 ? 1 : (rows.responded[at] == 0 ? 0 : 1 / p[row]);
    EXPECT_NEAR(found[row], rows.weights[row] * factor, 1e-8) << row;
  }
}

TEST(Propensity, DoesNotLookAtRowsThatAreNotEligible) {
  Rows rows = random_rows(200, 2);
  const VectorXd found = propensity(rows)->apply(before(rows.weights), 1).weights;
  for (Eigen::Index row = 0; row < rows.count(); ++row) {
    if (rows.eligible[static_cast<std::size_t>(row)] == 0) {
      rows.x[row] = kNaN;
      rows.responded[static_cast<std::size_t>(row)] ^= 1;
    }
  }
  const Adjusted again = propensity(rows)->apply(before(rows.weights), 1);
  expect_near(again.weights, found, 1e-10);
  EXPECT_TRUE(again.projection.information.front().solve(VectorXd::Ones(3)).allFinite());
}

// Classes of equal size by probability; in each, respondents stand for all.
TEST(Propensity, SharesOutWithinClassesOfAboutEqualSize) {
  Rows rows = random_rows(203, 3);
  rows.weights = rows.weights.cwiseMax(1);
  constexpr int kClasses = 4;
  const VectorXd p = fitted_probabilities(rows);
  std::vector<Eigen::Index> order;
  for (Eigen::Index row = 0; row < rows.count(); ++row) {
    if (rows.eligible[static_cast<std::size_t>(row)] != 0) {
      order.push_back(row);
    }
  }
  std::sort(order.begin(), order.end(), [&](auto i, auto j) { return p[i] < p[j]; });
  VectorXd expected = rows.weights;
  for (std::size_t k = 0; k < kClasses; ++k) {
    double all = 0;
    double responding = 0;
    const std::size_t begin = order.size() * k / kClasses;
    const std::size_t end = order.size() * (k + 1) / kClasses;
    for (std::size_t i = begin; i < end; ++i) {
      all += rows.weights[order[i]];
      responding += rows.responded[static_cast<std::size_t>(order[i])] * rows.weights[order[i]];
    }
    for (std::size_t i = begin; i < end; ++i) {
      expected[order[i]] *= rows.responded[static_cast<std::size_t>(order[i])] * all / responding;
    }
  }
  expect_near(propensity(rows, kClasses)->apply(before(rows.weights), 1).weights, expected, 1e-10);
}

// Nobody of the lower half responds; of the upper, one in between does not.
TEST(Propensity, NeedsRespondentsInEveryClass) {
  Rows rows = random_rows(10, 4);
  rows.weights = VectorXd::Ones(10);
  rows.x = VectorXd::LinSpaced(10, 0, 9);
  rows.z = VectorXd::Zero(10);
  rows.eligible = Flags(10, 1);
  rows.responded = {0, 0, 0, 0, 0, 1, 1, 0, 1, 0};
  const WeightingError error =
      weighting_error([&] { propensity(rows, 2)->apply(before(rows.weights), 1); });
  EXPECT_EQ(error.problem, Problem::kEmptyControl);
  ASSERT_EQ(error.misses.size(), 1U);
  EXPECT_EQ(error.misses[0].control, 0);
  EXPECT_EQ(error.misses[0].wanted, 5);
}

TEST(Propensity, RefusesResponsesThatCannotBeFitted) {
  Rows rows = random_rows(100, 5);
  for (Eigen::Index row = 0; row < 100; ++row) {
    rows.responded[static_cast<std::size_t>(row)] = rows.x[row] > 2 ? 1 : 0;
  }
  EXPECT_THROW(propensity(rows)->apply(before(rows.weights), 1), FitError);
}

TEST(Propensity, RefusesLengthsAndClassesThatMakeNoSense) {
  const Rows rows = random_rows(50, 6);
  EXPECT_THROW(propensity(rows, 1), std::invalid_argument);
  EXPECT_THROW(propensity(rows, -2), std::invalid_argument);
  EXPECT_THROW(propensity(rows)->apply(before(VectorXd::Ones(49)), 1), std::invalid_argument);
  Rows other = rows;
  other.eligible.pop_back();
  EXPECT_THROW(propensity(other), std::invalid_argument);
  other = rows;
  other.responded.pop_back();
  EXPECT_THROW(propensity(other), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
