#include "steelyard/replicate.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "replicates.hpp"
#include "steelyard/bootstrap.hpp"
#include "steelyard/error.hpp"
#include "steelyard/half_samples.hpp"
#include "steelyard/jackknife.hpp"

namespace steelyard::testing {
namespace {

void expect_invalid(InvalidColumn::Problem problem, const std::vector<Column>& columns) {
  try {
    Replicates::of_rows(columns, true, equal_scales(static_cast<Eigen::Index>(columns.size()), 1));
    FAIL() << "no error";
  } catch (const InvalidColumn& error) {
    EXPECT_EQ(error.column, "bad");
    EXPECT_EQ(error.problem, problem);
    EXPECT_EQ(error.offence.count, 1);
  }
}

TEST(Replicates, AreColumnsOfFiniteNumbersAndOneLength) {
  const Column good = column({1, 2, 3}, "good");
  using Problem = InvalidColumn::Problem;
  expect_invalid(Problem::kNaN, {good, column({1, kNaN, 3}, "bad")});
  expect_invalid(Problem::kInfinite, {column({1, 2, -kInfinity}, "bad"), good});
  expect_invalid(Problem::kWrongLength, {good, column({1, 2}, "bad")});
  expect_invalid(Problem::kWrongLength, {good, good, column({1, 2, 3, 4}, "bad")});
  EXPECT_EQ(Replicates::of_rows({good, column({1, -2, 3})}, true, equal_scales(2, 1)).size(), 3);
}

TEST(Replicates, HaveOneScaleEachNoneNegativeOnePositive) {
  const auto refused = [](const Values& scales) {
    const Eigen::VectorXd vector =
        Eigen::Map<const Eigen::VectorXd>(scales.data(), static_cast<Eigen::Index>(scales.size()));
    EXPECT_THROW(Replicates::of_units(RowMatrix::Ones(4, 3), {vector}), std::invalid_argument);
    const Column ones = column({1, 1, 1, 1});
    EXPECT_THROW(Replicates::of_rows({ones, ones, ones}, true, {vector}), std::invalid_argument);
  };
  refused({});
  refused({1, 1});
  refused({1, 1, 1, 1});
  refused({1, 1, -1});
  refused({1, 1, kNaN});
  refused({1, 1, kInfinity});
  refused({0, 0, 0});
  EXPECT_THROW(Replicates::of_units(RowMatrix::Ones(4, 1), equal_scales(1, 1)),
               std::invalid_argument);
  EXPECT_THROW(Replicates::of_rows({}, true, equal_scales(0, 1)), std::invalid_argument);
  EXPECT_EQ(Replicates::of_units(RowMatrix::Ones(4, 2), {Eigen::Vector2d(0, 1)}).count(), 2);
}

TEST(Replicates, AreReadInTheTypeTheyAreStoredIn) {
  const std::vector<Column> columns{typed<float>(Column::Type::kFloat32, {.1F, .2F, .3F}),
                                    typed<std::int8_t>(Column::Type::kInt8, {0, 2, 1}),
                                    column({.1, .2, .3})};
  const Values weight{10, 20, 30};
  for (const bool combined : {true, false}) {
    const Replicates replicates = Replicates::of_rows(columns, combined, equal_scales(3, 1));
    EXPECT_FALSE(replicates.by_unit());
    RowMatrix expected(2, 3);
    expected << static_cast<double>(.2F), 2, .2, static_cast<double>(.3F), 1, .3;
    if (!combined) {
      expected.row(0) *= 20;
      expected.row(1) *= 30;
    }
    RowMatrix found(2, 3);
    replicates.read(1, 2, weight.data() + 1, nullptr, found);
    EXPECT_EQ(found, expected);
    for (Eigen::Index r = 0; r < 3; ++r) {
      Eigen::VectorXd one(2);
      replicates.read_one(r, 1, 2, weight.data() + 1, nullptr, one.data());
      EXPECT_EQ(one, expected.col(r));
    }
  }
}

TEST(Replicates, OfUnitsMultiplyTheWeightsOfTheirRows) {
  const Sample sample{.rows = 5, .weights = {1, 2, 3, 4, 5}, .units = {2, 0, 1, 2, 0}};
  RowMatrix factors(3, 2);
  factors << 1, 2, .5, 0, 3, 7;
  const Design design =
      sample.design().with_replicates(Replicates::of_units(factors, equal_scales(2, 1)));
  RowMatrix expected(5, 2);
  expected << 3, 7, 2, 4, 1.5, 0, 12, 28, 5, 10;
  RowMatrix found(5, 2);
  design.read_replicates(0, 5, found);
  EXPECT_EQ(found, expected);
  design.read_replicates(2, 3, found);
  EXPECT_EQ(found.topRows(3), expected.bottomRows(3));
  for (Eigen::Index r = 0; r < 2; ++r) {
    const Design one = design.under_replicate(r);
    EXPECT_EQ(one.replicates(), nullptr);
    Values buffer(5);
    const double* weights = one.weights(0, 5, buffer.data());
    EXPECT_EQ(Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(weights, 5)), expected.col(r));
  }
}

TEST(Replicates, BelongToASampleOfTheirSize) {
  const Design design = Sample{.rows = 5, .units = {2, 0, 1, 2, 0}}.design();
  EXPECT_THROW(
      design.with_replicates(Replicates::of_units(RowMatrix::Ones(5, 2), equal_scales(2, 1))),
      std::invalid_argument);
  const Column three = column({1, 1, 1});
  EXPECT_THROW(
      design.with_replicates(Replicates::of_rows({three, three}, true, equal_scales(2, 1))),
      std::invalid_argument);
}

TEST(Replicates, WithNegativeWeightsFitNothing) {
  const Column some = column({1, -1, 1});
  const Column others = column({1, 1, 1});
  const Design design = Sample{.rows = 3}.design().with_replicates(
      Replicates::of_rows({some, others}, true, equal_scales(2, 1)));
  EXPECT_THROW(design.under_replicate(0), WeightingError);
  EXPECT_EQ(design.under_replicate(1).rows(), 3);
}

TEST(RankDegreesOfFreedom, AreOneLessThanTheRank) {
  Eigen::MatrixXd weights(6, 5);
  weights << 1, 2, 3, 0, 5,  //
      0, 1, 1, 0, 2,         //
      4, 0, 4, 0, 1,         //
      1, 1, 2, 0, 9,         //
      7, 3, 10, 0, 1,        //
      2, 2, 4, 0, 2;         // the third is the sum of the first two, the fourth nothing
  EXPECT_EQ(rank_degrees_of_freedom(weights.transpose() * weights), 2);
  EXPECT_EQ(rank_degrees_of_freedom(1e12 * weights.transpose() * weights), 2);
  EXPECT_EQ(rank_degrees_of_freedom(Eigen::MatrixXd::Identity(4, 4)), 3);
  EXPECT_EQ(rank_degrees_of_freedom(Eigen::MatrixXd::Ones(4, 4)), 0);
}

// The factors of strata of two span the vector of ones and a contrast for each: one degree of
// freedom a stratum. A jackknife's span all but one for each stratum, and one.
TEST(Replicates, HaveTheDegreesOfFreedomOfTheirRank) {
  const Design pairs = Sample{.rows = 10, .strata = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4}}.design();
  const Design made = pairs.with_replicates(half_samples(pairs, 0.3, false));
  const Design given = pairs.with_replicates(
      Replicates::of_rows(supplied(made, true), true, rule_of(*made.replicates())));
  EXPECT_EQ(made.degrees_of_freedom(), 5);
  EXPECT_EQ(given.degrees_of_freedom(), 5);
  const Design seven = two_strata().design();
  const Design left_out = seven.with_replicates(jackknife(seven, false));
  const Design factors = seven.with_replicates(
      Replicates::of_rows(supplied(left_out, false), false, rule_of(*left_out.replicates())));
  EXPECT_EQ(left_out.degrees_of_freedom(), 5);
  EXPECT_EQ(factors.degrees_of_freedom(), 5);
}

TEST(Replicates, LimitTheDegreesOfFreedomUnlessTheyAreStated) {
  const Design design = Sample{.rows = 30}.design();
  const Replicates few = rescaled_bootstrap(design, {.replicates = 10});
  EXPECT_EQ(design.with_replicates(few).degrees_of_freedom(), 9);
  EXPECT_EQ(design.with_replicates(few, 17.5).degrees_of_freedom(), 17.5);
  const Replicates many = rescaled_bootstrap(design, {.replicates = 100});
  EXPECT_EQ(design.with_replicates(many).degrees_of_freedom(), 29);
}

}  // namespace
}  // namespace steelyard::testing
