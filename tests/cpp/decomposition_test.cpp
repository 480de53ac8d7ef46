#include "steelyard/decomposition.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "known_estimates.hpp"
#include "samples.hpp"

namespace steelyard::testing {
namespace {

constexpr Reference kReferences[] = {Reference::kAverage, Reference::kBefore, Reference::kAfter};

/// Four parts one after the other, with standard errors of a hundredth of each.
Estimates exact(const std::vector<Values>& parts) {
  Values all;
  for (const Values& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  const Eigen::VectorXd values = numbers(all);
  return unrelated(values, 0.01 * values.cwiseAbs());
}

/// Das Gupta (1993), Standardization and Decomposition of Rates: A User's Manual, Current
/// Population Reports P23-186, example 5.1: householders per 100 persons and per cent of persons,
/// by age from 15-19 to 75 and over, in 1970 and in 1985.
Estimates householders() {
  return exact({{1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8},
                {12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9},
                {2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2},
                {10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5}});
}

// As R's DasGuptR prints in its README for that example: rates 44.7268 and 47.6940, effect of the
// rates 1.7403, of the ages 1.2269.
TEST(Kitagawa, ReproducesDasGupta1993) {
  const Estimates found = kitagawa(householders(), Reference::kAverage);
  ASSERT_EQ(found.size(), 4 + 2 * 13);
  EXPECT_NEAR(found.values[kTotal], 47.6940 - 44.7268, 5e-5);
  EXPECT_NEAR(found.values[kRates], 1.7403, 5e-5);
  EXPECT_NEAR(found.values[kComposition], 1.2269, 5e-5);
  EXPECT_EQ(found.values[kInteraction], 0);
  EXPECT_EQ(found.standard_errors()[kInteraction], 0);
}

// R 4.2.2, of the same data: sum(s0 * (r1 - r0)), sum((s1 - s0) * r0), sum((s1 - s0) * (r1 - r0)).
TEST(Kitagawa, ByOnePeriodLeavesTheInteraction) {
  const Estimates before = kitagawa(householders(), Reference::kBefore);
  EXPECT_NEAR(before.values[kRates], 1.7216, 1e-12);
  EXPECT_NEAR(before.values[kComposition], 1.2082, 1e-12);
  EXPECT_NEAR(before.values[kInteraction], 0.0374, 1e-12);
  const Estimates after = kitagawa(householders(), Reference::kAfter);
  EXPECT_NEAR(after.values[kRates], 1.7216 + 0.0374, 1e-12);
  EXPECT_NEAR(after.values[kComposition], 1.2082 + 0.0374, 1e-12);
  EXPECT_NEAR(after.values[kInteraction], -0.0374, 1e-12);
}

/// Three groups whose estimates covary, of a sample of 14 units.
Estimates groups() {
  Random random(17);
  Eigen::MatrixXd deviations(14, 12);
  for (double& deviation : deviations.reshaped()) {
    deviation = 0.01 * random.normal();
  }
  const Eigen::VectorXd values = numbers({.2, .5, .8, 40, 35, 25, .25, .45, .9, 30, 50, 60});
  const Eigen::VectorXd unit = (values.array() > 1).select(Eigen::VectorXd::Constant(12, 50), 1);
  return known(values, deviations * unit.asDiagonal());
}

Estimates swapped(const Estimates& parts) {
  const auto half = parts.size() / 2;
  std::vector<Eigen::Index> order;
  for (Eigen::Index i = 0; i < parts.size(); ++i) {
    order.push_back((i + half) % parts.size());
  }
  return parts.select(order);
}

using Decomposition = Estimates (*)(const Estimates&, Reference);
constexpr Decomposition kBoth[] = {kitagawa, oaxaca};

TEST(Decomposition, PartsAddUpAndSoDoTheirDetails) {
  for (const Decomposition decompose : kBoth) {
    for (const Reference reference : kReferences) {
      const Estimates found = decompose(groups(), reference);
      ASSERT_EQ(found.size(), 4 + 2 * 3);
      const Eigen::VectorXd& v = found.values;
      EXPECT_NEAR(v[kRates] + v[kComposition] + v[kInteraction], v[kTotal], 1e-13);
      EXPECT_NEAR(v.segment<3>(kDetail).sum(), v[kRates], 1e-13);
      EXPECT_NEAR(v.segment<3>(kDetail + 3).sum(), v[kComposition], 1e-13);
      Eigen::MatrixXd identities = Eigen::MatrixXd::Zero(3, 10);
      identities.row(0).head(4) << -1, 1, 1, 1;
      identities.row(1).segment(kDetail, 3).setOnes();
      identities.row(2).segment(kDetail + 3, 3).setOnes();
      identities(1, kRates) = identities(2, kComposition) = -1;
      EXPECT_LT(found.contrast(identities).standard_errors().maxCoeff(), 1e-13);
    }
  }
}

TEST(Decomposition, OfPeriodsSwappedHasTheOtherSign) {
  const auto mirror = [](Reference reference) {
    return reference == Reference::kAverage  ? Reference::kAverage
           : reference == Reference::kBefore ? Reference::kAfter
                                             : Reference::kBefore;
  };
  for (const Decomposition decompose : kBoth) {
    for (const Reference reference : kReferences) {
      const Estimates forth = decompose(groups(), reference);
      const Estimates back = decompose(swapped(groups()), mirror(reference));
      EXPECT_LT((forth.values + back.values).cwiseAbs().maxCoeff(), 1e-13);
      EXPECT_TRUE(back.covariance().isApprox(forth.covariance(), 1e-12));
    }
  }
}

/// The parts in plain numbers, as in the header: `of` is rates, weights before, then after.
Eigen::VectorXd plain(const Eigen::VectorXd& of, Reference reference, bool shares) {
  const Eigen::Index n = of.size() / 4;
  const Eigen::ArrayXd r0 = of.head(n);
  const Eigen::ArrayXd r1 = of.segment(2 * n, n);
  Eigen::ArrayXd w0 = of.segment(n, n);
  Eigen::ArrayXd w1 = of.tail(n);
  if (shares) {
    w0 /= w0.sum();
    w1 /= w1.sum();
  }
  const double late = reference == Reference::kBefore ? 0 : reference == Reference::kAfter ? 1 : .5;
  const Eigen::ArrayXd w = (1 - late) * w0 + late * w1;
  const Eigen::ArrayXd r = (1 - late) * r0 + late * r1;
  const double overall = (1 - late) * (w0 * r0).sum() + late * (w1 * r1).sum();
  const Eigen::ArrayXd by_rates = w * (r1 - r0);
  const Eigen::ArrayXd by_composition = (w1 - w0) * (r - (shares ? overall : 0));
  Eigen::VectorXd result(4 + 2 * n);
  result[kTotal] = (w1 * r1).sum() - (w0 * r0).sum();
  result[kRates] = by_rates.sum();
  result[kComposition] = by_composition.sum();
  result[kInteraction] = (1 - 2 * late) * ((w1 - w0) * (r1 - r0)).sum();
  result.segment(kDetail, n) = by_rates;
  result.tail(n) = by_composition;
  return result;
}

TEST(Decomposition, EqualsItsDefinitionAndTheNumericalDeltaMethod) {
  for (const bool shares : {true, false}) {
    for (const Reference reference : kReferences) {
      const Estimates found = kBoth[shares ? 0 : 1](groups(), reference);
      const auto defined = [&](const Eigen::VectorXd& of) { return plain(of, reference, shares); };
      EXPECT_LT((found.values - defined(groups().values)).cwiseAbs().maxCoeff(), 1e-13);
      const Eigen::MatrixXd expected = covariance_by_differences(groups(), defined);
      EXPECT_LT((found.covariance() - expected).cwiseAbs().maxCoeff(),
                1e-8 * expected.cwiseAbs().maxCoeff());
    }
  }
}

TEST(Kitagawa, CountsSizesAsShares) {
  Eigen::VectorXd unit = Eigen::VectorXd::Ones(12);
  unit.segment(3, 3).setConstant(1e3);
  unit.tail(3).setConstant(0.01);
  const Estimates found = kitagawa(groups().contrast(unit.asDiagonal()), Reference::kAverage);
  const Estimates expected = kitagawa(groups(), Reference::kAverage);
  EXPECT_TRUE(found.values.isApprox(expected.values, 1e-13));
  EXPECT_TRUE(found.covariance().isApprox(expected.covariance(), 1e-12));
}

TEST(Kitagawa, OfGroupsAlikeHasNoEffectOfComposition) {
  const Estimates found =
      kitagawa(exact({{.3, .3, .3}, {10, 20, 30}, {.4, .4, .4}, {30, 20, 5}}), Reference::kAverage);
  EXPECT_NEAR(found.values[kRates], 0.1, 1e-15);
  EXPECT_NEAR(found.values[kComposition], 0, 1e-16);
  EXPECT_LT(found.values.tail(3).cwiseAbs().maxCoeff(), 1e-16);
}

TEST(Kitagawa, OfOneCompositionHasNoEffectOfIt) {
  const Estimates found =
      kitagawa(exact({{.3, .2, .5}, {10, 20, 30}, {.4, .1, .9}, {20, 40, 60}}), Reference::kBefore);
  EXPECT_NEAR(found.values[kRates], (.1 * 10 - .1 * 20 + .4 * 30) / 60, 1e-15);
  EXPECT_NEAR(found.values[kComposition], 0, 1e-16);
  EXPECT_NEAR(found.values[kInteraction], 0, 1e-16);
}

// Exactly: a rounding of nothing would have a t of its own.
TEST(Kitagawa, WhereNothingInteractsTheInteractionIsExactlyNothing) {
  for (const Reference reference : kReferences) {
    const Estimates one_composition =
        kitagawa(exact({{.3, .2, .5}, {10, 20, 30}, {.4, .1, .9}, {30, 60, 90}}), reference);
    EXPECT_EQ(one_composition.values[kInteraction], 0);
    const Estimates one_rate =
        kitagawa(exact({{.3, .2, .7}, {10, 20, 30}, {.3, .2, .7}, {41, 17, 3}}), reference);
    EXPECT_EQ(one_rate.values[kInteraction], 0);
    EXPECT_NE(one_rate.values[kTotal], 0);
    const Estimates alike =
        kitagawa(exact({{.3, .2, .7}, {10, 20, 30}, {.3, .2, .7}, {10, 20, 30}}), reference);
    EXPECT_EQ(alike.values[kInteraction], 0);
    EXPECT_EQ(alike.standard_errors()[kInteraction], 0);
  }
}

// By hand: shares .5, .5 to .75, .25, rates .2, .6 both times: overall .4 and .3, of which each
// group has half: .25 (.2 - .35) and -.25 (.6 - .35).
TEST(Kitagawa, OfAGroupsCompositionCountsFromTheOverallRate) {
  const Estimates found =
      kitagawa(exact({{.2, .6}, {5, 5}, {.2, .6}, {3, 1}}), Reference::kAverage);
  EXPECT_NEAR(found.values[kDetail + 2], -0.0375, 1e-16);
  EXPECT_NEAR(found.values[kDetail + 3], -0.0625, 1e-16);
}

// R 4.2.2, data mtcars: lm(mpg ~ wt + hp) of automatic (before) and manual cars; means by
// colMeans(model.matrix(.)). Total: the difference of both means of mpg.
Eigen::VectorXd cars() {
  return numbers({30.703927206778197, -1.8559112078506201, -0.040944062806506050,  //
                  1, 3.7688947368421051, 160.26315789473685,                       //
                  44.443931042580921, -7.6248584992999806, -0.013150493395992977,  //
                  1, 2.4110000000000000, 126.84615384615384});
}

TEST(Oaxaca, EqualsTheThreefoldDecompositionInR) {
  const Estimates found = oaxaca(unrelated(cars(), Eigen::VectorXd::Zero(12)), Reference::kBefore);
  EXPECT_NEAR(found.values[kTotal], 24.39230769230769 - 17.14736842105263, 1e-12);
  EXPECT_NEAR(found.values[kRates], -3.548266045164911, 1e-12);
  EXPECT_NEAR(found.values[kComposition], 3.888359973757081, 1e-12);
  EXPECT_NEAR(found.values[kInteraction], 6.904845342662917, 1e-12);
  EXPECT_EQ(found.values[kDetail + 3], 0);  // the intercept has no composition
}

// Only the second mean changed, and only the third coefficient.
TEST(Oaxaca, WhereNothingInteractsTheInteractionIsExactlyNothing) {
  for (const Reference reference : kReferences) {
    const Estimates found =
        oaxaca(exact({{.7, .1, .3}, {1, 2.3, .9}, {.7, .1, .43}, {1, 1.9, .9}}), reference);
    EXPECT_EQ(found.values[kInteraction], 0);
    EXPECT_NEAR(found.values[kTotal], .13 * .9 - .4 * .1, 1e-15);
  }
}

// Jann (2008), with vcov() of both models and cov(x) / n: the variance of a product of
// independent b and x is x' V(b) x + b' V(x) b. In R 4.2.2, v being the quadratic form:
//   rates        v(x0, V(b0) + V(b1)) + v(b1 - b0, V(x0))
//   composition  v(x1 - x0, V(b0)) + v(b0, V(x0) + V(x1))
//   interaction  v(x1 - x0, V(b0) + V(b1)) + v(b1 - b0, V(x0) + V(x1))
TEST(Oaxaca, HasTheStandardErrorsOfJann2008) {
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(12, 12);
  covariance.block<3, 3>(0, 0) << 5.2622527743010590, -1.4435784916615624, 0.0023756493084413327,
      -1.4435784916615624, 0.65680347956179574, -0.0064384397459346307, 0.0023756493084413340,
      -0.0064384397459346310, 0.00013658879964080380;
  covariance.block<2, 2>(4, 4) << 0.031807946752847030, 1.4993436441982150, 1.4993436441982149,
      152.95229301323485;
  covariance.block<3, 3>(6, 6) << 15.203500450704359, -7.9987524018070415, 0.036688836394324915,
      -7.9987524018070415, 4.8398758098063928, -0.028934169971091564, 0.036688836394324920,
      -0.028934169971091560, 0.00026072093164202500;
  covariance.block<2, 2>(10, 10) << 0.029282025641025640, 3.2496474358974360, 3.2496474358974359,
      543.57495069033530;
  const Estimates parts{cars(), known_errors(covariance, 3)};
  const Eigen::VectorXd error = oaxaca(parts, Reference::kBefore).standard_errors();
  EXPECT_NEAR(error[kTotal], 1.953605321726744, 1e-9);
  EXPECT_NEAR(error[kRates], 2.839010070403848, 1e-9);
  EXPECT_NEAR(error[kComposition], 1.696793637815059, 1e-9);
  EXPECT_NEAR(error[kInteraction], 2.901200345640123, 1e-9);
}

// By hand: (0.2 * 30 + 0.5 * 50 + 0.8 * 20) / 100 = 0.47.
TEST(Standardised, PutsRatesTogetherWithGivenShares) {
  const Estimates all = exact({{.2, .5, .8}, {30, 50, 20}});
  const Estimates found = standardised(all.select({0, 1, 2}), all.select({3, 4, 5}));
  EXPECT_NEAR(found.values[0], 0.47, 1e-16);
  // By shares: .3 * .002, .5 * .005, .2 * .008; by sizes: (rate - .47) / 100 times .3, .5, .2.
  const double variance = .0006 * .0006 + .0025 * .0025 + .0016 * .0016 + .00081 * .00081 +
                          .00015 * .00015 + .00066 * .00066;
  EXPECT_NEAR(found.standard_errors()[0], std::sqrt(variance), 1e-16);
}

TEST(Standardised, WithSizesKnownHasTheErrorOfAContrast) {
  const Estimates rates = groups().select({0, 1, 2});
  const Estimates sizes =
      with_known_errors(Eigen::Vector3d(30, 50, 20), Eigen::Vector3d::Zero(), 4);
  const Estimates expected = rates.contrast(Eigen::RowVector3d(.3, .5, .2));
  EXPECT_NEAR(standardised(rates, sizes).standard_errors()[0], expected.standard_errors()[0],
              1e-16);
  EXPECT_EQ(standardised(rates, sizes).degrees_of_freedom(), rates.degrees_of_freedom());
}

TEST(Decomposition, RefusesPartsThatDoNotMatch) {
  for (const Decomposition decompose : kBoth) {
    EXPECT_THROW(decompose(groups().select({0, 1, 2, 3, 4}), Reference::kAverage),
                 std::invalid_argument);
    EXPECT_THROW(decompose(groups().select({}), Reference::kAverage), std::invalid_argument);
    EXPECT_THROW(decompose(groups(), static_cast<Reference>(9)), std::invalid_argument);
  }
  EXPECT_THROW(standardised(groups().select({0, 1}), groups().select({3})), std::invalid_argument);
  EXPECT_THROW(standardised(groups().select({}), groups().select({})), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
