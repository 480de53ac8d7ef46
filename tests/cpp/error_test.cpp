#include "steelyard/error.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using ColumnProblem = InvalidColumn::Problem;
using DesignProblem = DesignError::Problem;
using Rows = std::vector<std::int64_t>;

template <typename Error, typename Act>
Error thrown_by(const Act& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown, or something else");
}

void expect_invalid(const Sample& sample, const char* name, ColumnProblem problem,
                    std::int64_t count, const Rows& rows) {
  const auto error = thrown_by<InvalidColumn>([&] { sample.design(); });
  EXPECT_EQ(error.column, name);
  EXPECT_EQ(error.problem, problem);
  EXPECT_EQ(error.offence.count, count);
  EXPECT_EQ(error.offence.rows, rows);
}

void expect_refused(const Sample& sample, DesignProblem problem, const Labels& which,
                    std::int64_t count) {
  const auto error = thrown_by<DesignError>([&] { sample.design(); });
  EXPECT_EQ(error.problem, problem);
  EXPECT_EQ(error.codes, which);
  EXPECT_EQ(error.offence.count, count);
}

TEST(Offence, CountsAllRowsAndKeepsTheFirst) {
  Offence offence;
  for (std::int64_t row = 10; row < 20; ++row) {
    offence.add(row);
  }
  EXPECT_EQ(offence.count, 10);
  EXPECT_EQ(offence.rows, (Rows{10, 11, 12, 13, 14}));
}

TEST(InvalidColumn, WeightsAreNumbersNotNegativeFiniteAndNotAllZero) {
  expect_invalid({.rows = 3, .weights = {kNaN, 1, kNaN}}, "weight", ColumnProblem::kNaN, 2, {0, 2});
  expect_invalid({.rows = 3, .weights = {1, -1, 1}}, "weight", ColumnProblem::kNegative, 1, {1});
  expect_invalid({.rows = 3, .weights = {1, 1, kInfinity}}, "weight", ColumnProblem::kInfinite, 1,
                 {2});
  expect_invalid({.rows = 3, .weights = {1, -kInfinity, 1}}, "weight", ColumnProblem::kNegative, 1,
                 {1});
  expect_invalid({.rows = 7, .weights = Values(7, 0)}, "weight", ColumnProblem::kAllZero, 7,
                 {0, 1, 2, 3, 4});
}

TEST(InvalidColumn, EveryColumnIsAsLongAsTheSample) {
  expect_invalid({.rows = 3, .weights = {1, 1}}, "weight", ColumnProblem::kWrongLength, 1, {});
  expect_invalid({.rows = 2, .strata = {0, 0, 0, 0}}, "strata", ColumnProblem::kWrongLength, 2, {});
  expect_invalid({.rows = 3, .units = {0, 1}}, "clusters", ColumnProblem::kWrongLength, 1, {});
  expect_invalid({.rows = 3, .fpc = {9, 9}}, "fpc", ColumnProblem::kWrongLength, 1, {});
}

TEST(InvalidColumn, StrataClustersAndFpcAreComplete) {
  expect_invalid({.rows = 3, .strata = {0, -1, 0}}, "strata", ColumnProblem::kMissing, 1, {1});
  expect_invalid({.rows = 3, .units = {0, 1, -1}}, "clusters", ColumnProblem::kMissing, 1, {2});
  expect_invalid({.rows = 3, .fpc = {9, kNaN, 9}}, "fpc", ColumnProblem::kMissing, 1, {1});
  expect_invalid({.rows = 3, .fpc = {9, -9, 9}}, "fpc", ColumnProblem::kNegative, 1, {1});
  expect_invalid({.rows = 3, .fpc = {9, 9, kInfinity}}, "fpc", ColumnProblem::kInfinite, 1, {2});
}

TEST(InvalidColumn, AnswersAreFinite) {
  const Design design = Sample{.rows = 4}.design();
  const Values y = {1, kInfinity, 2, -kInfinity};
  const auto error = thrown_by<InvalidColumn>([&] {
    estimate_all(design, {mean(column({1, 2, 3, 4}, "x")),
                          ratio(column({1, 2, 3, 4}, "x"), column(y, "hours"))});
  });
  EXPECT_EQ(error.column, "hours");
  EXPECT_EQ(error.problem, ColumnProblem::kInfinite);
  EXPECT_EQ(error.offence.count, 2);
  EXPECT_EQ(error.offence.rows, (Rows{1, 3}));
}

TEST(InvalidColumn, AnswersAreAsManyAsTheSample) {
  const Design design = Sample{.rows = 4}.design();
  const auto error =
      thrown_by<InvalidColumn>([&] { estimate_all(design, {mean(column({1, 2, 3}, "hours"))}); });
  EXPECT_EQ(error.column, "hours");
  EXPECT_EQ(error.problem, ColumnProblem::kWrongLength);
}

TEST(InvalidColumn, SumsBeyondDoubleAreRefused) {
  const Design design = Sample{.rows = 4, .weights = Values(4, 1e10)}.design();
  EXPECT_THROW(estimate_all(design, {total(column({1e300, -1e300, 1e300, 1e300}))}),
               std::overflow_error);
}

TEST(DesignError, NamesStrataWithOneUnit) {
  expect_refused({.rows = 5, .strata = {0, 1, 1, 2, 0}}, DesignProblem::kLonelyStratum, {2}, 1);
  expect_refused({.rows = 4, .strata = {0, 1, 1, 0}, .units = {0, 1, 1, 0}},
                 DesignProblem::kLonelyStratum, {0, 1}, 2);
}

TEST(DesignError, NamesUnitsInTwoStrata) {
  const Sample sample{.rows = 6, .strata = {0, 0, 1, 1, 1, 0}, .units = {0, 1, 1, 2, 2, 2}};
  expect_refused(sample, DesignProblem::kUnitInTwoStrata, {1, 2}, 2);
  const auto error = thrown_by<DesignError>([&] { sample.design(); });
  EXPECT_EQ(error.offence.rows, (Rows{2, 5}));
}

TEST(DesignError, NamesStrataInWhichFpcVaries) {
  const Sample sample{.rows = 5, .strata = {0, 0, 1, 1, 1}, .fpc = {9, 9, 7, 7, 8}};
  expect_refused(sample, DesignProblem::kFpcVaries, {1}, 1);
  EXPECT_EQ(thrown_by<DesignError>([&] { sample.design(); }).offence.rows, (Rows{4}));
}

TEST(DesignError, NamesStrataWithMoreUnitsThanTheirPopulation) {
  expect_refused({.rows = 5, .strata = {0, 0, 1, 1, 1}, .fpc = {2, 2, 2, 2, 2}},
                 DesignProblem::kFpcBelowSample, {1}, 1);
  expect_refused({.rows = 2, .fpc = {0, 0}}, DesignProblem::kFpcBelowSample, {0}, 1);
}

TEST(DesignError, RefusesFractionsAmongPopulationSizes) {
  expect_refused({.rows = 4, .strata = {0, 0, 1, 1}, .fpc = {0.5, 0.5, 9, 9}},
                 DesignProblem::kFpcMixed, {}, 2);
  EXPECT_NO_THROW((Sample{.rows = 3, .strata = {0, 1, 1}, .fpc = {1, 9, 9}}.design()));
}

TEST(DesignError, NeedsDegreesOfFreedom) {
  expect_refused({.rows = 0}, DesignProblem::kNoDegreesOfFreedom, {}, 0);
  expect_refused({.rows = 2, .strata = {0, 1}, .lonely = Lonely::kRemove},
                 DesignProblem::kNoDegreesOfFreedom, {}, 2);
}

TEST(Error, MessagesNameRowsAndNeverValues) {
  const InvalidColumn column("weight", ColumnProblem::kNegative, {2, {3, 17}});
  EXPECT_STREQ(column.what(), "column 'weight' is negative in 2 row(s), first: 3, 17");
  const DesignError design(DesignProblem::kLonelyStratum, {1, 2, 3, 4, 5, 6}, {6, {}});
  EXPECT_STREQ(design.what(), "a stratum has a single unit (codes 1, 2, 3, 4, 5): 6 row(s)");
  for (const auto problem : {ColumnProblem::kNaN, ColumnProblem::kInfinite, ColumnProblem::kAllZero,
                             ColumnProblem::kMissing, ColumnProblem::kWrongLength}) {
    EXPECT_NE(std::string(InvalidColumn("w", problem, {}).what()).find("'w'"), std::string::npos);
  }
}

TEST(FitError, SaysWhatItIsAbout) {
  using Problem = FitError::Problem;
  EXPECT_STREQ(FitError(Problem::kSeparation, {"x", "group"}).what(),
               "columns tell the responses apart without error, so that coefficients are infinite "
               "('x', 'group')");
  EXPECT_STREQ(FitError(Problem::kOutOfRange, {"y"}, {2, {3, 17}}).what(),
               "the response lies outside the range of the family ('y'): 2 row(s), first: 3, 17");
  EXPECT_STREQ(FitError(Problem::kEmptyCategory, {}, {}, {1}).what(),
               "a category of the response has no row (codes 1)");
  EXPECT_STREQ(FitError(Problem::kNothingToFit, {}).what(), "there is nothing to fit");
  EXPECT_STREQ(FitError(Problem::kNoConvergence, {}).what(), "the fit did not converge");
}

}  // namespace
}  // namespace steelyard::testing
