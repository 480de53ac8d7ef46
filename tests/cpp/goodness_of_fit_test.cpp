#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/table_test.hpp"
#include "tables.hpp"

namespace steelyard::testing {
namespace {

constexpr auto kPearson = TableStatistic::kPearson;
constexpr auto kLikelihoodRatio = TableStatistic::kLikelihoodRatio;

void expect_relative(double value, double expected, double tolerance = 1e-11) {
  EXPECT_NEAR(value / expected, 1, tolerance);
}

// Mendel (1866): 315, 108, 101 and 32 peas against 9 : 3 : 3 : 1. R 4.2.2: chisq.test prints
// X-squared = 0.47002, df = 3, p-value = 0.9254.
TEST(GoodnessOfFitTest, OfASimpleRandomSampleIsTheTextbooks) {
  TableEstimates peas = counts(1, 4, {315, 108, 101, 32});
  const Eigen::Vector4d given(9, 3, 3, 1);
  const Eigen::Vector4d p = given / 16;
  peas.covariance = (Eigen::MatrixXd(p.asDiagonal()) - p * p.transpose()) / peas.n;
  for (const RaoScott correction :
       {RaoScott::kFirstOrder, RaoScott::kSecondOrder, RaoScott::kExact}) {
    const TableTest test = goodness_of_fit_test(peas, given, kPearson, correction);
    EXPECT_NEAR((test.design_effects - Eigen::Vector3d::Ones()).norm(), 0, 1e-12);
    expect_relative(test.uncorrected, 0.47002398081534774);
    expect_relative(test.result.p_value, 0.92542589510361584);
  }
}

// svygofchisq(~stype, p, design) of R 4.2.2, survey 4.1.1, which tests totals: svytotal(~stype)
// with svydesign(id = ~dnum, weights = ~pw, fpc = ~fpc, data = apiclus1), and its lambda.
TableEstimates school_types() {
  return table(1, 3, 6194, 14, {4873.9674682617188, 473.85794830322266, 846.17490768432617},
               {1777740.6356153567, 32003.181447867144, 25185.461089298948, 86625.152791219312,
                6817.7203585681864, 28072.966182339602});
}

TEST(GoodnessOfFitTest, IsThatOfR) {
  TableEstimates types = school_types();
  types.n = types.cells.sum();  // R's statistic is that of totals
  const TableTest far =
      goodness_of_fit_test(types, Eigen::Vector3d(.1, .1, .8), kPearson, RaoScott::kSecondOrder);
  expect_relative(far.uncorrected, 32665.541932168555);
  expect_relative(far.design_effects(0), 908.90750582723615);
  expect_relative(far.design_effects(1), 30.26341853415942);
  expect_relative(far.result.ndf, 1.0665192085952653);
  expect_relative(far.result.p_value, 1.3223680058786744e-09, 1e-10);
  const TableTest near =
      goodness_of_fit_test(types, Eigen::Vector3d(.7, .12, .18), kPearson, RaoScott::kSecondOrder);
  expect_relative(near.uncorrected, 229.23714222123436);
  expect_relative(near.result.ndf, 1.4833188196383869);
  expect_relative(near.result.p_value, 0.13054136124209464);
}

// Rao & Scott (1981): for proportions the design effects are the eigenvalues of n P0^-1 V, P0 and V
// without the last category.
TEST(GoodnessOfFitTest, OfProportionsHasTheDesignEffectsOfRaoAndScott) {
  const TableEstimates totals = school_types();
  const Eigen::Vector3d p = totals.cells / totals.cells.sum();
  const Eigen::Matrix3d jacobian =
      (Eigen::Matrix3d::Identity() - p * Eigen::RowVector3d::Ones()) / totals.cells.sum();
  TableEstimates types = totals;
  types.n = 183;
  types.cells = p;
  types.covariance = jacobian * totals.covariance * jacobian.transpose();
  const Eigen::Vector3d given(.7, .12, .18);
  const TableTest test = goodness_of_fit_test(types, given, kPearson, RaoScott::kExactF);
  const Eigen::Vector2d g = given.head(2);
  const Eigen::Matrix2d simple = Eigen::Matrix2d(g.asDiagonal()) - g * g.transpose();
  const Eigen::Matrix2d delta = 183 * simple.inverse() * types.covariance.topLeftCorner(2, 2);
  expect_relative(test.design_effects.sum(), delta.trace());
  expect_relative(test.design_effects.prod(), delta.determinant());
}

TEST(GoodnessOfFitTest, KeepsAnEmptyCategory) {
  const TableEstimates types = counts(3, 1, {30, 10, 0});
  const Eigen::Vector3d given(2, 1, 1);
  const TableTest pearson = goodness_of_fit_test(types, given, kPearson, RaoScott::kFirstOrder);
  expect_relative(pearson.uncorrected, 15);  // 100/20 + 0 + 100/10
  EXPECT_EQ(pearson.design_effects.size(), 2);
  const TableTest ratio =
      goodness_of_fit_test(types, given, kLikelihoodRatio, RaoScott::kFirstOrder);
  expect_relative(ratio.uncorrected, 60 * std::log(1.5));
}

TEST(GoodnessOfFitTest, RefusesWhatItCannotTest) {
  const auto refused = [](const TableEstimates& table, const Eigen::VectorXd& given) {
    EXPECT_THROW(goodness_of_fit_test(table, given, kPearson, RaoScott::kFirstOrder),
                 std::invalid_argument);
  };
  const TableEstimates types = counts(1, 3, {30, 10, 5});
  const Eigen::Vector3d given(2, 1, 1);
  refused(types, Eigen::Vector2d(1, 1));
  refused(types, Eigen::Vector3d(1, 0, 1));
  refused(types, Eigen::Vector3d(1, kNaN, 1));
  refused(counts(1, 1, {5}), Eigen::VectorXd::Ones(1));
  refused(counts(2, 2, {5, 5, 5, 5}), Eigen::Vector4d(1, 1, 1, 1));
  TableEstimates bad = types;
  bad.n = 0;
  refused(bad, given);
  bad = types;
  bad.cells.setZero();
  refused(bad, given);
  bad = types;
  bad.covariance.setZero();
  refused(bad, given);
}

}  // namespace
}  // namespace steelyard::testing
