#include "steelyard/change.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "known_estimates.hpp"
#include "samples.hpp"

namespace steelyard::testing {
namespace {

constexpr ChangeKind kKinds[] = {ChangeKind::kDifference, ChangeKind::kRatio, ChangeKind::kRelative,
                                 ChangeKind::kLogOdds};

/// Two shares of units 1 to 4, and of units 3 to 6: the last two of the first stayed in.
Estimates shares_before() {
  return known(Eigen::Vector2d(0.4, 0.25),
               (Eigen::MatrixXd(4, 2) << .01, 0, -.01, .01, .02, -.02, -.02, .01).finished());
}
Estimates shares_after() {
  return known(Eigen::Vector2d(0.5, 0.2),
               (Eigen::MatrixXd(4, 2) << .03, -.01, .01, .02, -.02, 0, -.02, -.01).finished(), 3,
               2);
}

/// A change as its definition says.
double plain_change(double before, double after, ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kDifference:
      return after - before;
    case ChangeKind::kRatio:
      return after / before;
    case ChangeKind::kRelative:
      return (after - before) / before;
    case ChangeKind::kLogOdds:
      return std::log(after * (1 - before) / ((1 - after) * before));
  }
  return kNaN;
}

TEST(Change, EqualsItsDefinitionAndTheNumericalDeltaMethod) {
  const Estimates both = join(shares_before(), shares_after());
  for (const ChangeKind kind : kKinds) {
    const auto plain = [&](const Eigen::VectorXd& v) -> Eigen::VectorXd {
      return Eigen::Vector2d(plain_change(v[0], v[2], kind), plain_change(v[1], v[3], kind));
    };
    const Estimates found = change(shares_before(), shares_after(), kind);
    EXPECT_TRUE(found.values.isApprox(plain(both.values), 1e-14));
    EXPECT_LT(covariance_difference(found.covariance(), covariance_by_differences(both, plain)),
              1e-8);
  }
}

// By hand, in hundredths: variances 10 and 18, of shared units 2 * 3 - 2 * 1 = 4, so that the
// difference has 10 + 18 - 8 = 20.
TEST(Change, SharesTheErrorOfUnitsOfBoth) {
  const Estimates found = change(shares_before(), shares_after(), ChangeKind::kDifference);
  EXPECT_NEAR(found.standard_errors()[0], std::sqrt(20e-4), 1e-16);
  EXPECT_NEAR(correlations(shares_before(), shares_after())[0], 4 / std::sqrt(180.0), 1e-15);
  EXPECT_EQ(found.degrees_of_freedom(), 6 - 1);
}

TEST(Change, OfSamplesApartHasTheSumOfVariances) {
  Estimates after = shares_after();
  after.deviations = apart(after.deviations, 9);
  const Estimates found = change(shares_before(), after, ChangeKind::kDifference);
  EXPECT_NEAR(found.standard_errors()[0], std::sqrt(28e-4), 1e-16);
  EXPECT_EQ(correlations(shares_before(), after), Eigen::Vector2d::Zero());
  EXPECT_EQ(found.degrees_of_freedom(), 3 + 3);
}

TEST(Change, OfWhatStayedTheSameIsNone) {
  const Estimates found = change(shares_before(), shares_before(), ChangeKind::kDifference);
  EXPECT_EQ(found.values, Eigen::Vector2d::Zero());
  EXPECT_EQ(found.standard_errors(), Eigen::Vector2d::Zero());
}

TEST(Change, OfPositionsSwappedHasTheOtherSign) {
  for (const ChangeKind kind : {ChangeKind::kDifference, ChangeKind::kLogOdds}) {
    const Estimates forth = change(shares_before(), shares_after(), kind);
    const Estimates back = change(shares_after(), shares_before(), kind);
    EXPECT_TRUE(back.values.isApprox(-forth.values, 1e-15));
    EXPECT_TRUE(back.covariance().isApprox(forth.covariance(), 1e-14));
  }
}

TEST(Change, RelativeIsTheRatioLessOne) {
  const Estimates ratio = change(shares_before(), shares_after(), ChangeKind::kRatio);
  const Estimates relative = change(shares_before(), shares_after(), ChangeKind::kRelative);
  EXPECT_TRUE(relative.values.isApprox((ratio.values.array() - 1).matrix(), 1e-15));
  EXPECT_TRUE(same_bits(relative.deviations.matrix, ratio.deviations.matrix));
}

void expect_only_second_known(const Estimates& found, const Estimates& of_second) {
  EXPECT_TRUE(std::isnan(found.values[0]));
  EXPECT_TRUE(std::isnan(found.standard_errors()[0]));
  EXPECT_EQ(found.values[1], of_second.values[0]);
  EXPECT_NEAR(found.standard_errors()[1], of_second.standard_errors()[0], 1e-16);
}

TEST(Change, WhereItIsNotDefinedIsNotANumberAndSpoilsNoOther) {
  for (const ChangeKind kind : kKinds) {
    const Estimates second = change(shares_before().select({1}), shares_after().select({1}), kind);
    for (const double none : {0.0, kNaN}) {
      if (kind == ChangeKind::kDifference && none == 0) {
        continue;
      }
      Estimates before = shares_before();
      before.values[0] = none;
      expect_only_second_known(change(before, shares_after(), kind), second);
    }
  }
  const Estimates second =
      change(shares_before().select({1}), shares_after().select({1}), ChangeKind::kLogOdds);
  for (const double extreme : {0.0, 1.0, 1.5, -0.5}) {
    Estimates after = shares_after();
    after.values[0] = extreme;
    expect_only_second_known(change(shares_before(), after, ChangeKind::kLogOdds), second);
  }
}

TEST(Change, FromARatioToZeroIsDefined) {
  Estimates after = shares_after();
  after.values[0] = 0;
  EXPECT_EQ(change(shares_before(), after, ChangeKind::kRelative).values[0], -1);
}

// The sample correlation of 1, ..., 5 with 2, 1, 4, 3, 5 is 8 / sqrt(10 * 10).
TEST(Correlations, OfAFullPanelAreThoseOfItsUnits) {
  const Eigen::VectorXd first = numbers({-2, -1, 0, 1, 2});
  const Eigen::VectorXd second = numbers({-1, -2, 1, 0, 2});
  const Eigen::VectorXd found = correlations(known(Eigen::VectorXd::Constant(1, 3), first),
                                             known(Eigen::VectorXd::Constant(1, 3), second, 1, 2));
  EXPECT_DOUBLE_EQ(found[0], 0.8);
}

TEST(Correlations, WithoutAnErrorAreNotKnown) {
  Estimates exact = shares_before();
  exact.deviations.matrix.col(0).setZero();
  const Eigen::VectorXd found = correlations(exact, shares_after());
  EXPECT_TRUE(std::isnan(found[0]));
  EXPECT_EQ(found[1], correlations(shares_before(), shares_after())[1]);
}

/// The first of two estimates has a variance that was estimated as negative.
Estimates with_negative_variance(Estimates of) {
  of.deviations.signs = Eigen::VectorXd::Ones(of.deviations.matrix.rows());
  of.deviations.signs[3] = -1;
  of.deviations.matrix(3, 0) *= 10;
  return of;
}

TEST(Correlations, WithANegativeVarianceAreNotKnown) {
  const Estimates before = with_negative_variance(shares_before());
  Estimates after = with_negative_variance(shares_after());
  after.deviations = apart(after.deviations, 9);
  ASSERT_LT(before.covariance()(0, 0), 0);
  ASSERT_LT(after.covariance()(0, 0), 0);
  const Estimates positive{shares_after().values, apart(shares_after().deviations, 9)};
  // Of two negative ones the product is above 0.
  for (const Eigen::VectorXd& found :
       {correlations(before, after), correlations(before, positive), correlations(positive, before),
        correlations(before, before)}) {
    EXPECT_TRUE(std::isnan(found[0]));
    EXPECT_FALSE(std::isnan(found[1]));
  }
}

Estimates link_of(double value, double error, std::uint64_t identity = 77) {
  return with_known_errors(Eigen::VectorXd::Constant(1, value), Eigen::VectorXd::Constant(1, error),
                           identity);
}

// OECD (2024), PISA 2022 Technical Report: the variance of a trend is the sum of both variances and
// of the square of the link's error, here sqrt(2.4^2 + 2.1^2 + 2.24^2) by hand.
TEST(Link, OfPisaAddsItsVarianceToAChange) {
  const Estimates before =
      known(Eigen::VectorXd::Constant(1, 437), Eigen::VectorXd::Constant(1, 2.4));
  const Estimates after =
      known(Eigen::VectorXd::Constant(1, 368), Eigen::VectorXd::Constant(1, 2.1), 9, 2);
  const Estimates found =
      change(link(before, link_of(0, 2.24), LinkKind::kShift), after, ChangeKind::kDifference);
  EXPECT_EQ(found.values[0], -69);
  EXPECT_NEAR(found.standard_errors()[0], 3.8971271470, 1e-9);
}

TEST(Link, OfAShiftAddsOneErrorToAll) {
  const Estimates old = shares_before();
  const Estimates linked = link(old, link_of(0.05, 0.03), LinkKind::kShift);
  EXPECT_TRUE(linked.values.isApprox((old.values.array() + 0.05).matrix(), 1e-15));
  const Eigen::MatrixXd expected = old.covariance().array() + 0.03 * 0.03;
  EXPECT_TRUE(linked.covariance().isApprox(expected, 1e-14));
  EXPECT_EQ(linked.degrees_of_freedom(), old.degrees_of_freedom());
}

TEST(Link, OfAScaleMultipliesTheErrorToo) {
  const Estimates old = shares_before();
  const Estimates linked = link(old, link_of(1.2, 0.03), LinkKind::kScale);
  EXPECT_TRUE(linked.values.isApprox(1.2 * old.values, 1e-15));
  const Eigen::MatrixXd expected =
      1.2 * 1.2 * old.covariance() + 0.03 * 0.03 * old.values * old.values.transpose();
  EXPECT_TRUE(linked.covariance().isApprox(expected, 1e-14));
}

TEST(Link, IsSharedByWhatItLinks) {
  const Estimates first = link(shares_before(), link_of(0.05, 0.03), LinkKind::kShift);
  const auto variance_of_difference = [&](std::uint64_t identity) {
    const Estimates second = link(shares_after(), link_of(0.05, 0.03, identity), LinkKind::kShift);
    return change(first, second, ChangeKind::kDifference).covariance()(0, 0);
  };
  EXPECT_NEAR(variance_of_difference(77), 20e-4, 1e-16);
  EXPECT_NEAR(variance_of_difference(78), 20e-4 + 2 * 0.03 * 0.03, 1e-16);
}

// The link was estimated from the units that it links: variances 10 and 18, covariance 4.
TEST(Link, EstimatedFromTheSameUnitsCovariesWithWhatItLinks) {
  const Estimates linked =
      link(shares_before().select({0}), shares_after().select({0}), LinkKind::kShift);
  EXPECT_NEAR(linked.covariance()(0, 0), 10e-4 + 18e-4 + 2 * 4e-4, 1e-16);
}

TEST(Change, RefusesWhatDoesNotMatch) {
  EXPECT_THROW(change(shares_before(), shares_after().select({0}), ChangeKind::kDifference),
               std::invalid_argument);
  EXPECT_THROW(change(shares_before(), shares_after(), static_cast<ChangeKind>(9)),
               std::invalid_argument);
  EXPECT_THROW(link(shares_before(), shares_after(), LinkKind::kShift), std::invalid_argument);
  EXPECT_THROW(link(shares_before(), shares_after().select({}), LinkKind::kScale),
               std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
