#include <gtest/gtest.h>

#include <stdexcept>

#include "steelyard/calibration.hpp"
#include "weightings.hpp"

namespace steelyard::testing {
namespace {

const Codes kMargin = codes({0, 0, 1, 1});
const VectorXd kWeights = VectorXd::Constant(4, 10);

WeightingError error_of(const Controls& controls, const RowMatrix& totals,
                        const Calibration::Options& options, const VectorXd& weights = kWeights) {
  return weighting_error([&] { Calibration(controls, totals, options).apply(before(weights), 1); });
}
RowMatrix row(const Values& totals) { return vector_of(totals).transpose(); }

void expect_miss(const WeightingError::Miss& miss, std::int32_t group, std::int32_t control,
                 double wanted, double found) {
  EXPECT_EQ(miss.group, group);
  EXPECT_EQ(miss.control, control);
  EXPECT_NEAR(miss.wanted, wanted, 1e-9);
  EXPECT_NEAR(miss.found, found, 1e-6 * std::abs(found));
}

TEST(CalibrationError, NamesTotalsThatContradictOthers) {
  const Controls controls({kMargin}, {column({1, 1, 1, 1})});
  for (const Kind kind : {Kind::kLinear, Kind::kRaking}) {
    const WeightingError error = error_of(controls, row({30, 20, 55}), by(kind));
    EXPECT_EQ(error.problem, Problem::kDisagreement);
    ASSERT_EQ(error.misses.size(), 1U);
    expect_miss(error.misses[0], 0, 2, 55, 50);
  }
}

// 20 by weights can be made 40 at most, and at least 10.
TEST(CalibrationError, NamesTotalsBeyondTheBounds) {
  const Controls controls({kMargin}, {}, codes({0, 0, 0, 0}));
  for (const double wanted : {100.0, 3.0}) {
    for (const Kind kind : {Kind::kLinear, Kind::kRaking, Kind::kSinh, Kind::kLogit}) {
      const WeightingError error = error_of(controls, row({25, wanted}), by(kind, {.5, 2}));
      EXPECT_EQ(error.problem, Problem::kNotMet);
      ASSERT_EQ(error.misses.size(), 1U);
      expect_miss(error.misses[0], 0, 1, wanted, wanted > 20 ? 40 : 10);
    }
  }
}

TEST(CalibrationError, NamesTheGroupThatCannotMeetItsTotals) {
  const Controls controls({}, {column({1, 1, 1, 1})}, kMargin);
  const RowMatrix totals = (RowMatrix(2, 1) << 25, 90).finished();
  const WeightingError error = error_of(controls, totals, by(Kind::kLinear, {.5, 2}));
  EXPECT_EQ(error.problem, Problem::kNotMet);
  ASSERT_EQ(error.misses.size(), 1U);
  expect_miss(error.misses[0], 1, 0, 90, 40);
}

// Positive weights do not add up to a negative total.
TEST(CalibrationError, SaysWhereRakingHasNoSolution) {
  const WeightingError error = error_of(Controls({kMargin}, {}), row({25, -5}), by(Kind::kRaking));
  EXPECT_EQ(error.problem, Problem::kNotMet);
  ASSERT_EQ(error.misses.size(), 1U);
  EXPECT_EQ(error.misses[0].control, 1);
}

TEST(CalibrationError, NamesControlsThatNoRowHas) {
  const Controls controls({codes({0, 0, 2, 2})}, {column({5, 0, 5, 5})});
  const VectorXd some = vector_of({0, 10, 10, 10});
  const WeightingError error = error_of(controls, row({20, 7, 20, 100}), by(Kind::kLinear), some);
  EXPECT_EQ(error.problem, Problem::kEmptyControl);
  ASSERT_EQ(error.misses.size(), 1U);
  expect_miss(error.misses[0], 0, 1, 7, 0);
  const Calibration fine(controls, row({20, 0, 20, 100}), by(Kind::kLinear));
  expect_near(fine.apply(before(some), 1).weights, vector_of({0, 20, 10, 10}), 1e-12);
}

TEST(CalibrationError, RefusesNegativeWeights) {
  EXPECT_EQ(
      error_of(Controls({kMargin}, {}), row({25, 25}), by(Kind::kLinear), vector_of({1, -1, 1, 1}))
          .problem,
      Problem::kNegativeWeight);
}

TEST(CalibrationError, RefusesTotalsThatAreNotOnePerControl) {
  const Controls controls({kMargin}, {});
  const Calibration::Options options = by(Kind::kLinear);
  EXPECT_THROW(Calibration(controls, row({1, 2, 3}), options), std::invalid_argument);
  EXPECT_THROW(Calibration(controls, RowMatrix::Ones(2, 2), options), std::invalid_argument);
  EXPECT_THROW(Calibration(controls, row({1, kNaN}), options), std::invalid_argument);
  EXPECT_THROW(Calibration(controls, row({1, kInfinity}), options), std::invalid_argument);
  EXPECT_THROW(Calibration(controls, row({1, 2}), options).apply(before(VectorXd::Ones(3)), 1),
               std::invalid_argument);
  EXPECT_THROW(Calibration(controls, Flags(4, 1), Flags(3, 1), options), std::invalid_argument);
  EXPECT_THROW(Calibration(controls, Flags(5, 1), Flags(4, 1), options), std::invalid_argument);
}

TEST(CalibrationError, RefusesOptionsThatMakeNoSense) {
  const Controls controls({kMargin}, {});
  const auto refuse = [&](const Calibration::Options& options) {
    EXPECT_THROW(Calibration(controls, row({20, 20}), options), std::invalid_argument);
  };
  refuse(by(Kind::kLinear, {1, 2}));
  refuse(by(Kind::kRaking, {.2, .9}));
  Calibration::Options options = by(Kind::kLinear);
  options.slack = vector_of({1});
  refuse(options);
  options.slack = vector_of({1, -1});
  refuse(options);
  options = by(Kind::kLinear);
  options.clusters = codes({0, 0, 1, 1});
  options.scale = column({1, 1, 1, 1});
  refuse(options);
  options.scale = Column();
  options.bounds_on_weights = true;
  refuse(options);
}

}  // namespace
}  // namespace steelyard::testing
