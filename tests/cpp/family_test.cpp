#include "steelyard/family.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace steelyard::testing {
namespace {

using Array = Eigen::ArrayXd;

Array array(const std::vector<double>& values) {
  return Eigen::Map<const Array>(values.data(), static_cast<Eigen::Index>(values.size()));
}

std::vector<MeanModel> all_models() {
  return {{Family::kGaussian, Link::kIdentity}, {Family::kBinomial, Link::kLogit},
          {Family::kBinomial, Link::kProbit},   {Family::kBinomial, Link::kCloglog},
          {Family::kPoisson, Link::kLog},       {Family::kGamma, Link::kLog},
          {Family::kGamma, Link::kInverse}};
}

Array some_predictors() { return array({0.05, 0.3, 0.7, 1.1, 2.1, 3.3}); }

MeanBlock evaluate(const MeanModel& model, const Array& predictor) {
  MeanBlock at;
  model.evaluate(predictor, at);
  return at;
}

void expect_relative(const Array& found, const Array& expected, double tolerance) {
  for (Eigen::Index i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found[i] / expected[i], 1, tolerance) << i;
  }
}

// R 4.2.2: plogis, pnorm, -expm1(-exp(x)) at c(-40, -8, -0.3, 0, 1.2, 6, 35).
TEST(Family, HasTheMeansOfRFarIntoTheTails) {
  const Array at = array({-40, -8, -0.3, 0, 1.2, 6, 35});
  const MeanBlock logit = evaluate({Family::kBinomial, Link::kLogit}, at);
  expect_relative(logit.mean,
                  array({4.2483542552915889e-18, 3.3535013046647811e-04, 4.2555748318834102e-01,
                         5.0000000000000000e-01, 7.6852478349901754e-01, 9.9752737684336534e-01,
                         9.9999999999999933e-01}),
                  1e-14);
  expect_relative(evaluate({Family::kBinomial, Link::kLogit}, -at).rest, logit.mean, 1e-15);
  const Array upper = array({-0.3, 1.2, 6, 35});
  expect_relative(evaluate({Family::kBinomial, Link::kProbit}, upper).rest,  // pnorm(-x)
                  array({6.1791142218895267e-01, 1.1506967022170828e-01, 9.8658764503769809e-10,
                         1.1249107064724062e-268}),
                  1e-12);
  const Array lower = array({-40, -8, -0.3, 1.2});
  expect_relative(evaluate({Family::kBinomial, Link::kCloglog}, lower).mean,
                  array({4.2483542552915889e-18, 3.3540636660651550e-04, 5.2327630928540592e-01,
                         9.6385139508686446e-01}),
                  1e-14);
}

// R 4.2.2: binomial()$dev.resids(y, mu, 1), poisson() and Gamma() likewise.
TEST(Family, HasTheDeviancesOfR) {
  MeanBlock at;
  at.mean = array({0.2, 0.7, 0.4, 0.999, 0.9});
  at.rest = 1 - at.mean;
  const MeanModel binomial(Family::kBinomial, Link::kLogit);
  const Array shares = binomial.deviance(array({0, 1, 0.3, 1, 0.9}), at);
  expect_relative(shares.head(4),
                  array({4.4628710262841953e-01, 7.1334988787746478e-01, 4.3201708287093077e-02,
                         2.0010006671672439e-03}),
                  1e-13);
  EXPECT_NEAR(shares[4], 0, 1e-15);
  at.mean = array({0, 1, 1, 1, 1});
  at.rest = 1 - at.mean;  // answers and means at the ends
  EXPECT_EQ(binomial.deviance(array({0, 1, 1, 1, 1}), at)[0], 0);
  at.mean = array({0.2, 2, 12.5, 1e-3, 2.5});
  const Array counts =
      MeanModel(Family::kPoisson, Link::kLog).deviance(array({0, 3, 10, 1, 2.5}), at);
  expect_relative(
      counts.head(4),
      array({0.40000000000000002, 0.43279064864898631, 0.53712897371580581, 11.81751055796427430}),
      1e-14);
  EXPECT_EQ(counts[4], 0);
  const Array sizes =
      MeanModel(Family::kGamma, Link::kLog).deviance(array({0.1, 3, 10, 1, 2.5}), at);
  expect_relative(sizes.head(4),
                  array({3.8629436111989057e-01, 1.8906978378367123e-01, 4.6287102628419396e-02,
                         1.9841844894420358e+03}),
                  1e-14);
}

double variance(Family family, double mean, double rest) {
  switch (family) {
    case Family::kGaussian:
      return 1;
    case Family::kBinomial:
      return mean * rest;
    case Family::kPoisson:
      return mean;
    case Family::kGamma:
      return mean * mean;
  }
  return 0;
}

TEST(Family, HasTheDerivativesOfItsMeans) {
  constexpr double kStep = 1e-4;
  for (const MeanModel& model : all_models()) {
    const Array predictor = some_predictors();
    const MeanBlock at = evaluate(model, predictor);
    const MeanBlock above = evaluate(model, predictor + kStep);
    const MeanBlock below = evaluate(model, predictor - kStep);
    const Array slope = (above.mean - below.mean) / (2 * kStep);
    const Array curvature = (above.slope - below.slope) / (2 * kStep);
    const Array scale = 1 + at.mean.abs().cube();
    EXPECT_TRUE(at.valid);
    EXPECT_LT(((slope - at.slope) / scale).abs().maxCoeff(), 2e-4);
    EXPECT_LT(((slope - at.slope) / scale).abs().tail(4).maxCoeff(), 1e-7);
    EXPECT_LT((curvature - model.curvature(predictor, at)).abs().tail(4).maxCoeff(), 1e-5);
    const Array bend = (above.ratio - below.ratio) / (2 * kStep);
    EXPECT_LT((bend - model.ratio_slope(predictor, at)).abs().maxCoeff(), 1e-6);
    EXPECT_EQ(model.canonical(), (bend == 0).all());
    for (Eigen::Index i = 0; i < predictor.size(); ++i) {
      const double rest = model.family() == Family::kBinomial ? at.rest[i] : 0;
      EXPECT_NEAR(at.ratio[i] * variance(model.family(), at.mean[i], rest) / at.slope[i], 1, 1e-12);
    }
  }
}

TEST(Family, LinksAreInverses) {
  for (const MeanModel& model : all_models()) {
    const Array predictor = some_predictors();
    const Array back = model.link_of(evaluate(model, predictor).mean);
    const double tolerance = model.link() == Link::kProbit ? 0.1 : 1e-11;
    EXPECT_LT(((back - predictor) / predictor.max(1.0)).abs().head(4).maxCoeff(), tolerance);
  }
}

// However far out, weights and residuals of the next iteration are finite.
TEST(Family, StaysFiniteAtAnyPredictor) {
  const Array predictor = array({-1e6, -745, -40, 40, 745, 1e6});
  for (const MeanModel& model : all_models()) {
    const MeanBlock at = evaluate(model, predictor);
    EXPECT_EQ(at.valid, model.link() != Link::kInverse);
    if (at.valid && model.family() == Family::kBinomial) {
      EXPECT_TRUE((at.slope > 0).all() && (at.slope * at.ratio > 0).all());
      EXPECT_TRUE(at.ratio.isFinite().all());
      EXPECT_TRUE((model.residual(Array::Zero(6), at) == -at.mean).all());
      EXPECT_TRUE((model.residual(Array::Ones(6), at) == at.rest).all());
    }
  }
}

TEST(Family, KnowsWhichResponsesItAllowsAndWhichHaveNoLargestLikelihood) {
  const MeanModel gaussian(Family::kGaussian, Link::kIdentity);
  const MeanModel binomial(Family::kBinomial, Link::kLogit);
  const MeanModel poisson(Family::kPoisson, Link::kLog);
  const MeanModel gamma(Family::kGamma, Link::kLog);
  EXPECT_TRUE(gaussian.allows(-3));
  EXPECT_TRUE(binomial.allows(0.5) && binomial.allows(0) && binomial.allows(1));
  EXPECT_FALSE(binomial.allows(1.01) || binomial.allows(-0.01));
  EXPECT_TRUE(poisson.allows(0) && poisson.allows(1e9));
  EXPECT_FALSE(poisson.allows(-1) || gamma.allows(0));
  EXPECT_EQ(binomial.limit(0), -1);
  EXPECT_EQ(binomial.limit(1), 1);
  EXPECT_EQ(binomial.limit(0.5), 0);
  EXPECT_EQ(poisson.limit(0), -1);
  EXPECT_EQ(poisson.limit(1), 0);
  EXPECT_EQ(gaussian.limit(0), 0);
}

TEST(Family, RefusesLinksThatItIsNotOfferedWith) {
  EXPECT_THROW(MeanModel(Family::kGaussian, Link::kLogit), std::invalid_argument);
  EXPECT_THROW(MeanModel(Family::kBinomial, Link::kLog), std::invalid_argument);
  EXPECT_THROW(MeanModel(Family::kPoisson, Link::kIdentity), std::invalid_argument);
  EXPECT_THROW(MeanModel(Family::kGamma, Link::kProbit), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
