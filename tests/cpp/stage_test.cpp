#include "steelyard/stage.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/error.hpp"

namespace steelyard::testing {
namespace {

Column fpc(Values values) { return column(std::move(values), "fpc"); }

RowMatrix one_column(const Values& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

Values deviated(const Stage& stage, const Values& totals) {
  RowMatrix matrix = one_column(totals);
  stage.deviate(matrix);
  return {matrix.data(), matrix.data() + matrix.size()};
}

double sum_of_squares(const Values& values) {
  double sum = 0;
  for (const double v : values) {
    sum += v * v;
  }
  return sum;
}

void expect_near(const Values& got, const Values& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], wanted[i], 1e-14) << "at " << i;
  }
}

void expect_error(DesignError::Problem problem, const Labels& codes, int stage,
                  const std::function<Stage()>& make) {
  try {
    make();
    FAIL() << "no error";
  } catch (const DesignError& error) {
    EXPECT_EQ(error.problem, problem);
    EXPECT_EQ(error.codes, codes);
    EXPECT_EQ(error.stage, stage);
  }
}

void expect_invalid(const std::string& name, InvalidColumn::Problem problem,
                    const std::function<Stage()>& make) {
  try {
    make();
    FAIL() << "no error";
  } catch (const InvalidColumn& error) {
    EXPECT_EQ(error.column, name);
    EXPECT_EQ(error.problem, problem);
  }
}

// Units 0 to 4, in strata of 3 of 6 and 2 of 10.
const Stage::Columns kTwoStrata{codes({0, 0, 0, 1, 1}), {}, fpc({6, 6, 6, 10, 10})};

TEST(Stage, ScalesByTheFractionAndTheNumberOfUnits) {
  const Stage stage(kTwoStrata, 5, {});
  EXPECT_EQ(stage.units(), 5);
  EXPECT_EQ(stage.strata(), 2);
  EXPECT_EQ(stage.above().size(), 0);
  EXPECT_TRUE(stage.has_fpc());
  for (const Eigen::Index unit : {0, 1, 2}) {
    EXPECT_DOUBLE_EQ(stage.fraction(unit), 0.5);
    EXPECT_DOUBLE_EQ(stage.scale(unit), 0.5 * 3 / 2);
  }
  EXPECT_DOUBLE_EQ(stage.share(4), 0.2);
  EXPECT_DOUBLE_EQ(stage.scale(4), 0.8 * 2);
  EXPECT_DOUBLE_EQ(stage.stratum_scale(1), 0.8 * 2);
  EXPECT_EQ(stage.inflation(0), 1);
}

TEST(Stage, WithoutFpcIsSampledWithReplacement) {
  const Stage stage({}, 4, {});
  EXPECT_FALSE(stage.has_fpc());
  EXPECT_EQ(stage.fraction(2), 0);
  EXPECT_EQ(stage.share(2), 0);
  EXPECT_DOUBLE_EQ(stage.scale(2), 4.0 / 3);
}

TEST(Stage, DeviatesFromTheMeanOfItsStratum) {
  const Stage stage(kTwoStrata, 5, {});
  const double first = std::sqrt(0.75);
  const double second = std::sqrt(1.6);
  expect_near(deviated(stage, {1, 2, 6, 10, 14}),
              {-2 * first, -first, 3 * first, -2 * second, 2 * second});
}

TEST(Stage, UnitsThatAreAlikeDeviateByExactlyNothing) {
  const Stage stage({{}, {}, fpc(Values(7, 0.3))}, 7, {});
  EXPECT_EQ(deviated(stage, Values(7, 0.1)), Values(7, 0.0));
}

TEST(Stage, ReadsCountsOfOneBesideOthers) {
  const Stage counts({codes({0, 1, 1}), {}, fpc({1, 4, 4})}, 3, {});
  EXPECT_EQ(counts.fraction(0), 1);
  EXPECT_EQ(counts.fraction(1), 0.5);
  EXPECT_FALSE(counts.stratum(0).lonely);
  const Stage whole({codes({0, 0, 1}), {}, fpc({1, 1, 1})}, 3, {});
  EXPECT_EQ(deviated(whole, {1, 5, 2}), Values(3, 0.0));
}

/// Two clusters of four, with 2 of 3 rows and 1 of 1.
class FurtherStage : public ::testing::Test {
 protected:
  Codes clusters_ = codes({0, 0, 1});
  Stage first_{{{}, clusters_, fpc({4, 4, 4})}, 3, {}};

  Stage below(const Stage::Columns& columns, Lonely lonely = Lonely::kFail,
              Selection selection = Selection::kEqual) const {
    return {columns, first_, clusters_, {lonely, selection, 1}};
  }
};

TEST_F(FurtherStage, SharesMultiply) {
  const Stage stage = below({{}, {}, fpc({3, 3, 1})});
  EXPECT_EQ(stage.strata(), 2);
  EXPECT_EQ(stage.above()[2], 1);
  EXPECT_EQ(stage.stratum(1).family, 1);
  EXPECT_DOUBLE_EQ(stage.share(0), 0.5 * 2 / 3);
  EXPECT_DOUBLE_EQ(stage.share(2), 0.5);
  EXPECT_DOUBLE_EQ(stage.scale(0), 0.5 * (1.0 / 3) * 2);
  EXPECT_EQ(stage.scale(2), 0);
}

// R 4.2.2, survey 4.1.1: SE(svytotal(~y, svydesign(id=~c+id, fpc=~N+M, data=data.frame(
// c=c("a","a","b"), id=1:3, y=c(1,3,5), N=4, M=c(3,3,1))))).
TEST_F(FurtherStage, AddsToTheVarianceOfATotal) {
  const Stage stage = below({{}, {}, fpc({3, 3, 1})});
  // Weights 4/2 * 3/2 and 4/2.
  const double variance = sum_of_squares(deviated(first_, {3 * (1 + 3), 10})) +
                          sum_of_squares(deviated(stage, {3, 9, 10}));
  EXPECT_NEAR(std::sqrt(variance), 2.8284271247461903, 1e-14);
}

TEST_F(FurtherStage, BelowOneWithReplacementAddsNothingAndIsNeverLonely) {
  const Stage above({{}, clusters_, {}}, 3, {});
  const Stage stage({{}, {}, {}}, above, clusters_, {Lonely::kFail, Selection::kEqual, 1});
  EXPECT_FALSE(stage.stratum(1).lonely);
  EXPECT_EQ(deviated(stage, {3, 9, 10}), Values(3, 0.0));
}

TEST_F(FurtherStage, HasTheShareOfAllStagesAbove) {
  const Codes units = codes({0, 1, 2});
  const Stage second = below({{}, units, fpc({3, 3, 1})});
  const Stage third({{}, {}, fpc({0.5, 0.5, 0.5})}, second, units,
                    {Lonely::kRemove, Selection::kEqual, 2});
  EXPECT_DOUBLE_EQ(third.share(1), 0.5 * 2 / 3 * 0.5);
  EXPECT_EQ(third.above()[1], 1);
}

TEST_F(FurtherStage, NamesItsNumberInErrors) {
  using Problem = DesignError::Problem;
  expect_error(Problem::kLonelyStratum, {1}, 1, [&] { return below({{}, {}, fpc({3, 3, 2})}); });
  expect_error(Problem::kFpcVaries, {0}, 1, [&] { return below({{}, {}, fpc({3, 4, 1})}); });
  expect_error(Problem::kFpcBelowSample, {0}, 1,
               [&] { return below({{}, {}, fpc({1.5, 1.5, 1})}); });
  expect_error(Problem::kFpcMixed, {}, 1, [&] { return below({{}, {}, fpc({3, 3, 0.5})}); });
  expect_error(Problem::kUnitInTwoStrata, {0}, 1,
               [&] { return below({codes({0, 1, 2}), codes({0, 0, 1}), {}}); });
  // A unit of two units above.
  expect_error(Problem::kUnitInTwoStrata, {1}, 1,
               [&] { return below({{}, codes({0, 1, 1}), {}}); });
  const auto brewer = [&](Values p) {
    return [this, p] {
      return below({{}, codes({0, 0, 1}), fpc(p)}, Lonely::kFail, Selection::kBrewer);
    };
  };
  expect_error(Problem::kFractionVaries, {0}, 1, brewer({0.5, 0.4, 1}));
  expect_error(Problem::kFractionNeeded, {}, 1, brewer({0.5, 0.5, 2}));
  expect_error(Problem::kFractionNeeded, {1}, 1, brewer({0.5, 0.5, 0}));
}

TEST(Stage, NamesWhatIsWrongWithAColumn) {
  using Problem = InvalidColumn::Problem;
  const Codes missing({0, Codes::kNone, 1}, 2);
  const auto first = [](const Stage::Columns& columns) {
    return [=] { return Stage(columns, 3, {}); };
  };
  expect_invalid("strata", Problem::kMissing, first({missing, {}, {}}));
  expect_invalid("clusters", Problem::kMissing, first({{}, missing, {}}));
  expect_invalid("strata", Problem::kWrongLength, first({codes({0, 1}), {}, {}}));
  expect_invalid("clusters", Problem::kWrongLength, first({{}, codes({0, 1}), {}}));
  expect_invalid("fpc", Problem::kWrongLength, first({{}, {}, fpc({9, 9})}));
  expect_invalid("fpc", Problem::kMissing, first({{}, {}, fpc({9, kNaN, 9})}));
  expect_invalid("fpc", Problem::kNegative, first({{}, {}, fpc({9, -9, 9})}));
  expect_invalid("fpc", Problem::kInfinite, first({{}, {}, fpc({9, kInfinity, 9})}));
  EXPECT_THROW(Stage({{}, Codes({0, 1, 3}, 4), {}}, 3, {}), std::invalid_argument);
}

TEST(Stage, OfTheFirstStageHasNumber0) {
  expect_error(DesignError::Problem::kLonelyStratum, {1}, 0,
               [] { return Stage({codes({0, 0, 1}), {}, {}}, 3, {}); });
}

TEST(Stage, UnitsOfUnequalProbabilityHaveScalesOfTheirOwn) {
  const Stage stage({codes({0, 0, 0, 1}), {}, fpc({0.5, 0.25, 1, 1})}, 4,
                    {Lonely::kFail, Selection::kBrewer, 0});
  EXPECT_DOUBLE_EQ(stage.scale(0), 0.5 * 3 / 2);
  EXPECT_DOUBLE_EQ(stage.scale(1), 0.75 * 3 / 2);
  EXPECT_EQ(stage.scale(2), 0);
  EXPECT_FALSE(stage.stratum(1).lonely);
  const double mean = (2.0 + 4 + 9) / 3;
  expect_near(deviated(stage, {2, 4, 9, 7}),
              {std::sqrt(0.75) * (2 - mean), std::sqrt(1.125) * (4 - mean), 0, 0});
}

/// Clusters 0 and 1 with strata of 2, 1 and 2, 2, 1 rows of many.
class LonelyStrataBelow : public ::testing::Test {
 protected:
  Codes clusters_ = codes({0, 0, 0, 1, 1, 1, 1, 1});
  Stage first_{{{}, clusters_, fpc(Values(8, 0.5))}, 8, {}};
  Values totals_ = {1, 3, 8, 2, 5, 4, 4, 9};

  Stage with(Lonely lonely) const {
    const Stage::Columns columns{codes({0, 0, 1, 2, 2, 3, 3, 4}), {}, fpc(Values(8, 0.1))};
    return {columns, first_, clusters_, {lonely, Selection::kEqual, 1}};
  }
  static constexpr double kScale = 0.5 * 0.9;          // share above times 1 - f
  static constexpr double kFirst = kScale * 2 * 2;     // n / (n - 1) times the squares of cluster 0
  static constexpr double kSecond = kScale * 2 * 4.5;  // and of cluster 1
};

TEST_F(LonelyStrataBelow, AreRefused) {
  expect_error(DesignError::Problem::kLonelyStratum, {1, 4}, 1,
               [&] { return with(Lonely::kFail); });
}

TEST_F(LonelyStrataBelow, AddNothingWhenRemovedOrCertain) {
  for (const Lonely policy : {Lonely::kRemove, Lonely::kCertainty}) {
    const Stage stage = with(policy);
    EXPECT_TRUE(stage.stratum(1).lonely);
    EXPECT_EQ(stage.scale(2), 0);
    EXPECT_EQ(stage.inflation(0), 1);
    EXPECT_NEAR(sum_of_squares(deviated(stage, totals_)), kFirst + kSecond, 1e-14);
  }
}

TEST_F(LonelyStrataBelow, AreAveragedWithinTheUnitAbove) {
  const Stage stage = with(Lonely::kAverage);
  EXPECT_DOUBLE_EQ(stage.inflation(0), 2);
  EXPECT_DOUBLE_EQ(stage.inflation(2), 1.5);
  EXPECT_DOUBLE_EQ(stage.scale(0), 2 * kScale * 2);
  EXPECT_NEAR(sum_of_squares(deviated(stage, totals_)), 2 * kFirst + 1.5 * kSecond, 1e-14);
}

TEST_F(LonelyStrataBelow, AreCentredAtTheMeanOfAllUnitsWhenAdjusted) {
  const Stage stage = with(Lonely::kAdjust);
  EXPECT_DOUBLE_EQ(stage.scale(7), kScale);
  const double mean = 36.0 / 8;
  const double lonely = kScale * ((8 - mean) * (8 - mean) + (9 - mean) * (9 - mean));
  EXPECT_NEAR(sum_of_squares(deviated(stage, totals_)), kFirst + kSecond + lonely, 1e-13);
}

TEST_F(LonelyStrataBelow, CannotBeAveragedOverAnotherUnitAbove) {
  const Stage::Columns columns{codes({0, 0, 0, 1, 1, 1, 1, 1}), codes({0, 0, 0, 1, 1, 2, 2, 2}),
                               fpc(Values(8, 0.1))};
  expect_error(DesignError::Problem::kLonelyStratum, {0}, 1, [&] {
    return Stage(columns, first_, clusters_, {Lonely::kAverage, Selection::kEqual, 1});
  });
}

TEST(Stage, StratumLevelsWithoutUnitsAreNotAveraged) {
  const Stage stage({Codes({0, 0, 2, 3, 3}, 5), {}, {}}, 5,
                    {Lonely::kAverage, Selection::kEqual, 0});
  EXPECT_EQ(stage.strata(), 5);
  EXPECT_DOUBLE_EQ(stage.inflation(0), 1.5);
}

}  // namespace
}  // namespace steelyard::testing
