#include "steelyard/table_test.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "samples.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/quadratic_form.hpp"
#include "tables.hpp"

namespace steelyard::testing {
namespace {

constexpr auto kPearson = TableStatistic::kPearson;
constexpr auto kLikelihoodRatio = TableStatistic::kLikelihoodRatio;

void expect_relative(double value, double expected, double tolerance = 1e-11) {
  EXPECT_NEAR(value / expected, 1, tolerance);
}

void expect_f(const TestResult& result, double statistic, double ndf, double ddf, double p) {
  expect_relative(result.statistic, statistic);
  expect_relative(result.ndf, ndf);
  expect_relative(result.ddf, ddf);
  expect_relative(result.p_value, p);
}

TableEstimates transposed(const TableEstimates& table) {
  std::vector<Eigen::Index> order;
  for (Eigen::Index j = 0; j < table.columns; ++j) {
    for (Eigen::Index i = 0; i < table.rows; ++i) {
      order.push_back(i * table.columns + j);
    }
  }
  return {table.columns,
          table.rows,
          table.cells(order),
          table.covariance(order, order),
          table.n,
          table.degrees_of_freedom};
}

// Agresti (2007), An Introduction to Categorical Data Analysis, 2nd ed., table 2.5: gender by
// party, X2 = 30.1 and G2 = 30.0 on 2 (here as R 4.2.2's chisq.test prints more digits).
TEST(IndependenceTest, OfASimpleRandomSampleIsTheTextbooks) {
  const TableEstimates party = counts(2, 3, {762, 327, 468, 484, 239, 477});
  const TableTest pearson = independence_test(party, kPearson, RaoScott::kFirstOrder);
  EXPECT_NEAR(pearson.uncorrected, 30.1, 0.05);
  expect_relative(pearson.result.statistic, 30.070149095754672);
  EXPECT_EQ(pearson.result.ndf, 2);
  expect_relative(pearson.result.p_value, 2.9535891832117569e-07, 1e-10);
  EXPECT_NEAR((pearson.design_effects - Eigen::Vector2d::Ones()).norm(), 0, 1e-12);
  const TableTest ratio = independence_test(party, kLikelihoodRatio, RaoScott::kExact);
  EXPECT_NEAR(ratio.uncorrected, 30.0, 0.05);
  expect_relative(ratio.uncorrected, 30.016692613239666);
  expect_relative(ratio.result.p_value, chi_square_upper_tail(30.016692613239666, 2), 1e-10);
}

// svychisq(~sch.wide + stype, design, statistic = "F" | "Chisq") of R 4.2.2, survey 4.1.1.
TEST(IndependenceTest, RaoScottIsThatOfR) {
  const auto f = RaoScott::kSecondOrderF;
  expect_f(independence_test(clus1_fpc_proportions(), kPearson, f).result, 5.1933695414748771,
           1.4946397777074554, 20.924956887904376, 0.021747462370796916);
  expect_f(independence_test(clus2_proportions(), kPearson, f).result, 11.872745142560873,
           1.3824988085924375, 53.917453535105061, 0.00032211466243808298);
  expect_f(independence_test(jackknife_proportions(), kPearson, f).result, 4.3754528314290004,
           1.4197254796946042, 19.876156715724459, 0.037646404395127495);
  expect_f(independence_test(awards_proportions(), kPearson, f).result, 143.48696879466561, 1, 14,
           9.5700260709363663e-09);
  const auto expect_chisq = [](const TableEstimates& table, double x2, double k, double p) {
    const TableTest test = independence_test(table, kPearson, RaoScott::kFirstOrder);
    expect_relative(test.uncorrected, x2);
    EXPECT_EQ(test.result.ndf, k);
    expect_relative(test.result.p_value, p);
  };
  expect_chisq(clus1_fpc_proportions(), 11.940892080745339, 2, 0.0055532633031132187);
  expect_chisq(clus2_proportions(), 53.908668344704864, 2, 6.9780214409066139e-06);
  expect_chisq(jackknife_proportions(), 11.940892080745339, 2, 0.01258244322643806);
  expect_chisq(awards_proportions(), 168.74734004823381, 1, 4.6000095611739533e-33);
}

// svychisq(…, statistic = "Wald" | "adjWald"), which tests the residuals of totals.
TEST(IndependenceTest, WaldIsThatOfR) {
  const auto f = WaldVariant::kF;
  const auto adjusted = WaldVariant::kAdjustedF;
  expect_f(wald_independence_test(clus1_fpc_totals(), f).result, 2.4010586006026786, 2, 14,
           0.12689630060235083);
  expect_f(wald_independence_test(clus1_fpc_totals(), adjusted).result, 2.2295544148453446, 2, 13,
           0.14705788690124844);
  expect_f(wald_independence_test(clus2_totals(), f).result, 2.7944678033462957, 2, 39,
           0.073422857609882514);
  expect_f(wald_independence_test(clus2_totals(), adjusted).result, 2.722814782747673, 2, 38,
           0.078507750272166929);
  expect_f(wald_independence_test(jackknife_totals(), f).result, 2.3534814817003831, 2, 14,
           0.13148410207157993);
  expect_f(wald_independence_test(awards_totals(), adjusted).result, 18.039253029129636, 1, 14,
           0.00081244417846168559);
}

// svychisq(…, statistic = "saddlepoint"), for replicates. R finds the saddlepoint to 1e-8 only.
TEST(IndependenceTest, SaddlepointIsThatOfR) {
  const TableTest test =
      independence_test(jackknife_proportions(), kPearson, RaoScott::kSaddlepoint);
  expect_relative(test.result.statistic, 11.940892080745339);
  expect_relative(test.result.p_value, 0.025155626029848298, 1e-9);
}

// For designs with units R cuts the denominator's degrees of freedom down to a whole number, but
// divides by what they were: 20 for 20.92 makes 0.0264 of 0.0229, where 0.0220 is exact.
TEST(IndependenceTest, SaddlepointKeepsTheDegreesOfFreedomThatRCuts) {
  const TableEstimates table = clus1_fpc_proportions();
  const TableTest test = independence_test(table, kPearson, RaoScott::kSaddlepointF);
  const double ddf = test.result.ddf;
  expect_relative(ddf, 20.924956887904376);
  const double as_r = quadratic_form_ratio_upper_tail(
      test.uncorrected * 20 / ddf, {test.design_effects, {}}, 20, TailMethod::kSaddlepoint);
  expect_relative(as_r, 0.026441127709637507, 1e-9);
  const TableTest exact = independence_test(table, kPearson, RaoScott::kExactF);
  EXPECT_NEAR(test.result.p_value / exact.result.p_value, 1, 0.05);
  // With whole degrees of freedom nothing is cut: 14 here.
  expect_relative(
      independence_test(awards_proportions(), kPearson, RaoScott::kSaddlepointF).result.p_value,
      1.0747249258286399e-08, 1e-9);
}

// One interaction: the exact distribution is F, and so is what R calls "F".
TEST(IndependenceTest, OfTwoByTwoIsExactlyF) {
  for (const RaoScott correction :
       {RaoScott::kFirstOrderF, RaoScott::kSecondOrderF, RaoScott::kExactF}) {
    expect_relative(independence_test(awards_proportions(), kPearson, correction).result.p_value,
                    9.5700260709363663e-09);
  }
}

TEST(IndependenceTest, OfTotalsIsThatOfProportions) {
  const TableTest totals =
      independence_test(clus1_fpc_totals(), kLikelihoodRatio, RaoScott::kExactF);
  const TableTest proportions =
      independence_test(clus1_fpc_proportions(), kLikelihoodRatio, RaoScott::kExactF);
  expect_relative(totals.uncorrected, proportions.uncorrected);
  expect_relative(totals.result.p_value, proportions.result.p_value);
}

TEST(IndependenceTest, DoesNotDependOnWhichIsTheRow) {
  const TableEstimates table = clus2_proportions();
  const TableTest one = independence_test(table, kPearson, RaoScott::kExactF);
  const TableTest other = independence_test(transposed(table), kPearson, RaoScott::kExactF);
  EXPECT_NEAR((one.design_effects - other.design_effects).norm(), 0, 1e-12);
  expect_relative(other.result.p_value, one.result.p_value);
  expect_relative(wald_independence_test(transposed(table), WaldVariant::kF).result.statistic,
                  wald_independence_test(table, WaldVariant::kF).result.statistic);
}

TEST(IndependenceTest, ScalesWithNButItsProbabilityDoesNot) {
  TableEstimates table = clus2_proportions();
  const TableTest one = independence_test(table, kPearson, RaoScott::kSecondOrderF);
  table.n *= 10;
  const TableTest ten = independence_test(table, kPearson, RaoScott::kSecondOrderF);
  expect_relative(ten.uncorrected, 10 * one.uncorrected);
  expect_relative(ten.result.p_value, one.result.p_value);
}

TEST(IndependenceTest, OfIndependentMarginsFindsNothing) {
  const TableEstimates table = counts(2, 3, {10, 20, 30, 20, 40, 60});
  for (const auto statistic : {kPearson, kLikelihoodRatio}) {
    EXPECT_NEAR(independence_test(table, statistic, RaoScott::kFirstOrder).uncorrected, 0, 1e-12);
    EXPECT_NEAR(independence_test(table, statistic, RaoScott::kFirstOrder).result.p_value, 1,
                1e-12);
  }
}

TEST(IndependenceTest, LeavesOutEmptyRowsAndColumnsAndCountsThem) {
  const TableEstimates full = counts(2, 3, {5, 9, 14, 12, 4, 6});
  const TableEstimates holes = counts(3, 5, {5, 0, 9, 14, 0, 0, 0, 0, 0, 0, 12, 0, 4, 6, 0});
  const TableTest test = independence_test(holes, kPearson, RaoScott::kExact);
  EXPECT_EQ(test.rows_dropped, 1);
  EXPECT_EQ(test.columns_dropped, 2);
  EXPECT_EQ(test.design_effects.size(), 2);
  expect_relative(test.result.p_value,
                  independence_test(full, kPearson, RaoScott::kExact).result.p_value);
  const TableTest wald = wald_independence_test(holes, WaldVariant::kChiSquare);
  EXPECT_EQ(wald.rows_dropped, 1);
  EXPECT_EQ(wald.columns_dropped, 2);
  expect_relative(wald.result.p_value,
                  wald_independence_test(full, WaldVariant::kChiSquare).result.p_value);
}

// R 4.2.2, survey 4.1.1, on 12 clusters of 5 with weights 1, 2, 1.5: svymean(~interaction(b, a))
// and svychisq(~a + b), where b = 3 is empty for a = 2. G2 is
// 2 * 60 * sum(p * log(p / p0)) without it.
TEST(IndependenceTest, OfATableWithAnEmptyCellIsThatOfR) {
  const TableEstimates hole = table(2, 3, 60, 11, {.1, .2, .3, .1, .3, 0},
                                    {0.001032996632996633,
                                     0.00011313131313131313,
                                     0.00022626262626262625,
                                     -0.0009683501683501681,
                                     1.6161616161616216e-05,
                                     0.0013239057239057236,
                                     0.00083097643097643096,
                                     -8.8888888888888839e-05,
                                     -0.00096835016835016832,
                                     0.0010329966329966332,
                                     -0.0010087542087542087,
                                     -0.00026666666666666679,
                                     0.00059663299663299655,
                                     -0.00080673400673400694,
                                     0.0014855218855218853,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0});
  const TableTest test = independence_test(hole, kPearson, RaoScott::kSecondOrderF);
  expect_f(test.result, 43.39806497917872, 1.4345693118940654, 15.780262430834719,
           1.5262106072816437e-06);
  expect_relative(test.uncorrected, 17.5);
  EXPECT_FALSE(test.at_fitted);
  expect_relative(independence_test(hole, kLikelihoodRatio, RaoScott::kExactF).uncorrected,
                  23.745167687116695);
}

// R 4.2.2: eigen(solve(t(C) %*% diag(1 / p0) %*% C, t(C) %*% diag(1 / p0) %*% V %*% diag(1 / p0)
// %*% C)) * 50 with V = 2 * (diag(p) - p %*% t(p)) / 50, for p0 the product of the margins.
TEST(IndependenceTest, TakesFittedProportionsWhereEmptyCellsEncloseAnInteraction) {
  TableEstimates table = counts(3, 3, {0, 0, 20, 0, 0, 30, 15, 25, 10});
  table.covariance *= 2 * table.n / 50;
  table.n = 50;
  const TableTest test = independence_test(table, kPearson, RaoScott::kExact);
  EXPECT_TRUE(test.at_fitted);
  expect_relative(test.uncorrected, 33.333333333333336);
  EXPECT_NEAR((test.design_effects - Eigen::Vector4d(2, 4.0 / 3, 2.0 / 3, 0)).norm(), 0, 1e-12);
  // Three empty cells of two rows and two columns enclose none.
  const TableEstimates open = counts(3, 3, {0, 0, 20, 0, 5, 30, 15, 25, 10});
  EXPECT_FALSE(independence_test(open, kPearson, RaoScott::kExact).at_fitted);
}

TEST(IndependenceTest, RefusesWhatIsNoTable) {
  const TableEstimates good = counts(2, 2, {5, 9, 14, 12});
  const auto refused = [](const TableEstimates& table) {
    EXPECT_THROW(independence_test(table, kPearson, RaoScott::kFirstOrder), std::invalid_argument);
    EXPECT_THROW(wald_independence_test(table, WaldVariant::kF), std::invalid_argument);
  };
  refused({});
  refused(counts(2, 2, {5, 9, 0, 0}));
  refused(counts(2, 2, {5, 0, 9, 0}));
  refused(counts(1, 4, {5, 9, 14, 12}));
  refused(counts(2, 3, {5, 9, 14, 12}));
  const auto with = [&](const auto& change) {
    TableEstimates table = good;
    change(table);
    return table;
  };
  refused(with([](TableEstimates& t) { t.cells(0) = kNaN; }));
  refused(with([](TableEstimates& t) { t.cells(0) = -0.1; }));
  refused(with([](TableEstimates& t) { t.covariance(0, 1) = kInfinity; }));
  refused(with([](TableEstimates& t) { t.covariance.conservativeResize(4, 3); }));
  refused(with([](TableEstimates& t) { t.covariance.setZero(); }));
  refused(with([](TableEstimates& t) { t.degrees_of_freedom = 0; }));
  refused(with([](TableEstimates& t) { t.degrees_of_freedom = kNaN; }));
  for (const double n : {0.0, -1.0, kNaN, kInfinity}) {
    EXPECT_THROW(independence_test(with([&](TableEstimates& t) { t.n = n; }), kPearson,
                                   RaoScott::kFirstOrder),
                 std::invalid_argument);
  }
}

}  // namespace
}  // namespace steelyard::testing
