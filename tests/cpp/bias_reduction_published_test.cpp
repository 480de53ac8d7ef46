#include <gtest/gtest.h>

#include <cmath>

#include "districts.hpp"
#include "linear_models.hpp"
#include "samples.hpp"
#include "steelyard/bias_reduction.hpp"

/// Bias reduction against printed numbers, R and textbooks.
namespace steelyard::testing {
namespace {

// y regressed on sin(1:10) and sin(2:11): R's dfadjust (Kolesár), tests/testthat/test-hc2-check.R:
// the degrees of freedom of HC2, every row a unit.
TEST(BiasReduction, ReproducesTheDegreesOfFreedomOfHC2) {
  Linear model{{.rows = 10}, {}, {{}, {}}};
  for (int i = 1; i <= 10; ++i) {
    model.y.push_back(i);
    model.columns[0].push_back(std::sin(i));
    model.columns[1].push_back(std::sin(i + 1));
  }
  const BiasReduced found = model.reduce();
  const Eigen::Vector3d printed(4.94624731, 3.90754737, 4.77265484);
  EXPECT_LT((found.degrees_of_freedom - printed).cwiseAbs().maxCoeff(), 1e-8);
}

class DistrictsTest : public ::testing::Test {
 protected:
  /// api00 ~ api99 + stype.
  static Linear model() {
    const Districts districts;
    Linear result{{.rows = 183, .units = districts.district}, districts.api00, {districts.api99}};
    for (const std::int32_t type : {1, 2}) {
      result.columns.emplace_back();
      for (const std::int32_t of_school : districts.type) {
        result.columns.back().push_back(of_school == type ? 1 : 0);
      }
    }
    return result;
  }
};

// The summary of svyglm(api00 ~ api99 + stype, design = svydesign(id = ~dnum, weights = ~pw,
// data = apiclus1, fpc = ~fpc), std.errors = "Bell-McCaffrey"), as printed in the tests of R's
// survey (R-Forge, tests/testthat/_snaps/bell_mccaffrey.md). The digits after those are from R
// 4.2.2: the matrices of the next test, centred and times sqrt((1 - 15 / 757) 15 / 14).
TEST_F(DistrictsTest, ReproduceSvyglm) {
  Linear clusters = model();
  clusters.sample.fpc = Values(183, 757);
  const BiasReduced found = clusters.reduce({.centring = ScoreCentring::kAlways});
  const VectorXd se = found.estimates.standard_errors();
  EXPECT_NEAR(found.estimates.values[0], 99.85645, 5e-6);
  EXPECT_NEAR(found.estimates.values[1], 0.90329, 5e-6);
  EXPECT_NEAR(se[0], 18.02030, 5e-6);
  EXPECT_NEAR(se[1], 0.02734, 5e-6);
  EXPECT_NEAR(se[2], 5.43114, 5e-6);
  EXPECT_NEAR(se[3], 6.07011, 5e-6);
  const Eigen::Vector4d in_r(18.020304873130505996, 0.027340114614518029, 5.431141101889862988,
                             6.070107415151297481);
  expect_relative(se, in_r);
}

// R 4.2.2: X = model.matrix(~api99 + stype, apiclus1), R = I - X solve(t(X) X) t(X), and of each
// district A = (R[i, i])^(-1/2) by eigen(); sqrt of the sum of (solve(t(X) X) t(X[i, ]) A e[i])^2.
TEST_F(DistrictsTest, EqualMatricesInR) {
  const BiasReduced found = model().reduce();
  expect_relative(found.estimates.standard_errors(),
                  Eigen::Vector4d(17.596125530330191111, 0.026691792327047215, 5.300030406788663662,
                                  5.924042971535450341));
  expect_relative(found.degrees_of_freedom,
                  Eigen::Vector4d(6.3081312436695800, 7.0613401214396427, 5.3041560951320497,
                                  8.9796977368717190),
                  1e-9);
  expect_relative(found.expectation, VectorXd::Ones(4));
}

// The same with weights 1 + (row - 1) %% 7, A = (R[i, ] t(R[i, ]))^(-1/2), and strata district
// %% 3.
TEST_F(DistrictsTest, EqualMatricesInRWithWeights) {
  Linear clusters = model();
  for (int row = 0; row < 183; ++row) {
    clusters.sample.weights.push_back(1 + row % 7);
  }
  const BiasReduced one = clusters.reduce();
  expect_relative(one.estimates.standard_errors(),
                  Eigen::Vector4d(18.655661094792336030, 0.028302492501854778, 5.764787417087307908,
                                  6.476949493841476446));
  expect_relative(one.degrees_of_freedom,
                  Eigen::Vector4d(5.8466661310517321, 6.7371359461206124, 5.4991285590568504,
                                  8.6008855745992783),
                  1e-9);
  for (const std::int32_t unit : clusters.sample.units) {
    clusters.sample.strata.push_back(unit % 3);
  }
  const BiasReduced strata = clusters.reduce();
  expect_relative(strata.estimates.standard_errors(),
                  Eigen::Vector4d(20.25321408241184074, 0.02966308511201032, 6.29709820511667218,
                                  6.29297281922910656));
  expect_relative(strata.degrees_of_freedom,
                  Eigen::Vector4d(5.5748517672417730, 6.2604903376074104, 5.2511143404363061,
                                  7.7317254284233421),
                  1e-9);
}

// s^2 / m on m - 1 degrees of freedom.
TEST(BiasReduction, OfAMeanOfEqualUnitsIsTheTextbooks) {
  const Sample sample{.rows = 20, .weights = Values(20, 20.0), .units = suites().units};
  const Design design = sample.design();
  const BiasReduced found =
      reduce_bias_of_means(column(grade_point_averages()), design, kSample, {});
  const Estimated plain = estimate_all(design, {mean(column(grade_point_averages()))});
  EXPECT_NEAR(found.estimates.values[0], 2.826, 5e-4);
  EXPECT_NEAR(found.estimates.standard_errors()[0] / se(plain), 1, 1e-13);
  EXPECT_NEAR(found.degrees_of_freedom[0], 4, 1e-12);
  EXPECT_NEAR(found.expectation[0], 1, 1e-13);
  EXPECT_EQ(found.estimates.deviations.units, plain.estimates.deviations.units);
  EXPECT_EQ(found.estimates.degrees_of_freedom(), 4);
}

}  // namespace
}  // namespace steelyard::testing
