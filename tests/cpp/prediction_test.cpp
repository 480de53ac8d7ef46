#include "steelyard/prediction.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reference.hpp"
#include "samples.hpp"
#include "steelyard/error.hpp"
#include "steelyard/estimate.hpp"

namespace steelyard::testing {
namespace {

constexpr int kElls = 0;
constexpr int kMeals = 1;

/// 1, ell, meals and their product.
ModelMatrix interaction(const Table& data) {
  return {data.rows(),
          {{data.column_of("ell"), {}, {}}, {data.column_of("meals"), {}, {}}},
          {{"(Intercept)", {}}, {"ell", {kElls}}, {"meals", {kMeals}}, {"both", {kElls, kMeals}}}};
}

Column answers(const Table& data) {
  Values yes;
  for (const std::string& answer : data.text("sch.wide")) {
    yes.push_back(answer == "Yes" ? 1 : 0);
  }
  return column(yes, "sch.wide");
}

// R 4.2.2, survey 4.1.1: predict(svyglm(I(sch.wide == 'Yes') ~ ell + meals, d, family =
// quasibinomial()), data.frame(ell = c(0, 30), meals = c(10, 80)), type), d with fpc on apistrat.
TEST(Predict, EqualsRSurvey) {
  const Table data("data/apistrat.csv");
  const Design design = api_design(data, "strat_fpc");
  const Regression fit =
      fit_regression(design, {}, Model(data).number("ell").number("meals").matrix(), answers(data),
                     {Family::kBinomial, Link::kLogit});
  const Estimated estimated = estimate_all(design, {coefficients(fit)});
  const ModelMatrix rows(2, {{column({0, 30}), {}, {}}, {column({10, 80}), {}, {}}},
                         {{"(Intercept)", {}}, {"ell", {0}}, {"meals", {1}}});
  const auto expect = [&](PredictionScale scale, const Values& value, const Values& error) {
    const Prediction predicted = predict(fit, rows, scale);
    const Estimates result = estimated.estimates.delta(predicted.value, predicted.jacobian);
    for (Eigen::Index i = 0; i < 2; ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_NEAR(result.values[i] / value[at], 1, 1e-11);
      EXPECT_NEAR(result.standard_errors()[i] / error[at], 1, 1e-11);
    }
  };
  expect(PredictionScale::kMean, {0.83141038000734591, 0.83718869700119858},
         {0.038587510686041389, 0.038196500930186526});
  expect(PredictionScale::kPredictor, {1.5956560339219257, 1.6374576096286282},
         {0.27529637241421706, 0.28023067443533772});
}

TEST(Predict, LeavesOutAliasedColumnsAndMarksMissingRows) {
  const ModelMatrix matrix(5, {{column({1, 2, 3, 4, 6}), {}, {}}},
                           {{"(Intercept)", {}}, {"x", {0}}, {"again", {0}}});
  const Regression fit =
      fit_regression(Sample{.rows = 5}.design(), {}, matrix, column({1, 3, 2, 5, 4}), {});
  const ModelMatrix rows(2, {{column({10, kNaN}), {}, {}}},
                         {{"(Intercept)", {}}, {"x", {0}}, {"again", {0}}});
  const Prediction predicted = predict(fit, rows, PredictionScale::kMean, column({0, 1}));
  EXPECT_NEAR(predicted.value[0], fit.coefficients[0] + 10 * fit.coefficients[1], 1e-13);
  EXPECT_EQ(predicted.jacobian.row(0), Eigen::RowVector2d(1, 10));
  EXPECT_TRUE(std::isnan(predicted.value[1]));
  const ModelMatrix other(1, {}, {{"(Intercept)", {}}});
  EXPECT_THROW(predict(fit, other, PredictionScale::kMean), std::invalid_argument);
  EXPECT_THROW(predict(fit, rows, PredictionScale::kMean, column({0})), std::invalid_argument);
}

TEST(Predict, OfCategoriesAddsUpAndHasTheSlopesOfItsJacobian) {
  const Table data("data/apistrat.csv");
  Labels band;
  for (const double score : data.numbers("api00")) {
    band.push_back(score <= 550 ? 0 : (score <= 650 ? 1 : (score <= 750 ? 2 : 3)));
  }
  const Design design = api_design(data, "strat_fpc");
  const ModelMatrix matrix = Model(data).number("ell").number("meals").matrix();
  for (const Link link : {Link::kLogit, Link::kProbit, Link::kCloglog}) {
    const Ordinal fit = fit_ordinal(design, {}, matrix, codes(band), {.link = link});
    const ModelMatrix rows(1, {{column({20}), {}, {}}, {column({40}), {}, {}}},
                           {{"(Intercept)", {}}, {"ell", {0}}, {"meals", {1}}});
    const Prediction at = predict(fit, rows);
    EXPECT_NEAR(at.value.sum(), 1, 1e-15);
    EXPECT_LT(at.jacobian.colwise().sum().cwiseAbs().maxCoeff(), 1e-14);
    const double predictor = 20 * fit.slopes[1] + 40 * fit.slopes[2];
    MeanBlock up_to;
    const MeanModel model(Family::kBinomial, link);
    model.evaluate(fit.thresholds.array() - predictor, up_to);
    EXPECT_NEAR(at.value[0], up_to.mean[0], 1e-14);
    EXPECT_NEAR(at.value[2], up_to.mean[2] - up_to.mean[1], 1e-14);
    // One more of a column is a slope less on every threshold.
    EXPECT_NEAR(at.jacobian(1, 0), -20 * (at.jacobian(1, 2) + at.jacobian(1, 3)), 1e-13);
    EXPECT_NEAR(at.jacobian(0, 2), up_to.slope[0], 1e-14);
  }
}

struct AverageInR {
  Link link;
  double slope, slope_se, at_20, at_20_se;
};

// R: m = svyglm(I(sch.wide == 'Yes') ~ ell * meals, d, family = quasibinomial(link)), fitted until
// its coefficients stand still, g the effect of meals in each row, or the mean where ell is 20:
//   a = sum(w g) / W; J = Richardson's derivative of a by coef(m);
//   svyrecvar(w (g - a) / W + (X resid(m, "working") m$weights) %*% m$naive.cov %*% J, ...).
TEST(Averages, EqualR) {
  const std::vector<AverageInR> in_r = {
      {Link::kLogit, 0.00085932313302686453, 0.00124349746421059497, 0.815275973244501406,
       0.029672945944777311},
      {Link::kProbit, 0.00090058092571063705, 0.00124482790685999747, 0.814681974013866217,
       0.029879604340893127},
      {Link::kCloglog, 0.00097017339220162421, 0.00124673454356110758, 0.81354063238711138,
       0.03020535325496649}};
  const Table data("data/apistrat.csv");
  const Design design = api_design(data, "strat_fpc");
  const ModelMatrix matrix = interaction(data);
  for (const AverageInR& r : in_r) {
    const Regression fit =
        fit_regression(design, {}, matrix, answers(data), {Family::kBinomial, r.link});
    const Estimated result = estimate_all(
        design, {averages(fit, {{matrix, kMeals}, {matrix.with(kElls, 20)}}, design, {})});
    EXPECT_NEAR(result.estimates.values[0] / r.slope, 1, 1e-10);
    EXPECT_NEAR(se(result, 0) / r.slope_se, 1, 1e-9);
    EXPECT_NEAR(result.estimates.values[1] / r.at_20, 1, 1e-10);
    EXPECT_NEAR(se(result, 1) / r.at_20_se, 1, 1e-9);
  }
}

// With a canonical link and an intercept the weighted residuals add up to nothing whatever the
// weights are, so that the average prediction is the mean of the response, error included.
TEST(Averages, OfPredictionsAsTheyAreIsTheMeanOfTheResponse) {
  const Table data("data/apiclus1.csv");
  const Design design = api_design(data, "clus1_fpc");
  const ModelMatrix matrix = interaction(data);
  const auto expect = [&](const Column& response, const RegressionOptions& options) {
    const Regression fit = fit_regression(design, {}, matrix, response, options);
    const Estimated result =
        estimate_all(design, {averages(fit, {{matrix}}, design, {}), mean(response)});
    EXPECT_NEAR(result.estimates.values[0] / result.estimates.values[1], 1, 1e-12);
    EXPECT_NEAR(se(result, 0) / se(result, 1), 1, 1e-9);
  };
  expect(answers(data), {Family::kBinomial, Link::kLogit});
  expect(data.column_of("enroll"), {Family::kPoisson, Link::kLog});
  expect(data.column_of("api00"), {});
  expect(data.column_of("enroll"), {Family::kGamma, Link::kInverse});
}

TEST(Averages, OfTheSlopeOfALinearModelIsItsCoefficient) {
  const Table data("data/apiclus1.csv");
  const Design design = api_design(data, "clus1_fpc");
  const ModelMatrix matrix = Model(data).number("ell").number("meals").matrix();
  const Regression fit = fit_regression(design, {}, matrix, data.column_of("api00"), {});
  const Estimated result =
      estimate_all(design, {averages(fit, {{matrix, kMeals}}, design, {}), coefficients(fit)});
  EXPECT_NEAR(result.estimates.values[0] / result.estimates.values[3], 1, 1e-13);
  EXPECT_NEAR(se(result, 0) / se(result, 3), 1, 1e-12);
}

/// A sample of elements with equal chances, and what its weights say.
struct Elements {
  Values weights;
  Values x;
  Values z;
  Values yes;
  Values count;

  explicit Elements(std::int32_t rows) {
    Random random(81);
    for (std::int32_t row = 0; row < rows; ++row) {
      weights.push_back(random.uniform(1, 5));
      x.push_back(random.uniform() < 0.1 ? kNaN : random.normal());
      z.push_back(random.normal());
      yes.push_back(random.uniform() < 0.5 + 0.2 * std::tanh(z.back()) ? 1 : 0);
      count.push_back(random.below(4));
    }
  }
  Eigen::Index rows() const { return static_cast<Eigen::Index>(x.size()); }
  ModelMatrix matrix() const {
    return {rows(),
            {{column(x), {}, {}}, {column(z), {}, {}}},
            {{"(Intercept)", {}}, {"x", {0}}, {"z^2", {1, 1}}, {"z", {1}}, {"x z", {0, 1}}}};
  }
};

// Deville (1999): influence is the derivative by the row's weight, found here by fitting again. The
// deviations of a sample of elements drawn with replacement are sqrt(n / (n - 1)) of it, times the
// weight.
TEST(Averages, DeviateByTheDerivativeByEveryWeight) {
  constexpr std::int32_t kRows = 60;
  const Elements elements(kRows);
  const ModelMatrix matrix = elements.matrix();
  const auto figures = [&](const Values& weights, Family family) {
    const Design design = Sample{.rows = kRows, .weights = weights}.design();
    const bool binomial = family == Family::kBinomial;
    const Regression fit =
        fit_regression(design, {}, matrix, column(binomial ? elements.yes : elements.count),
                       {family, binomial ? Link::kLogit : Link::kLog});
    return estimate_all(
        design, {coefficients(fit), averages(fit,
                                             {{matrix, 1},
                                              {matrix.with(0, 1.5)},
                                              {matrix.with(0, 1.5), 1},
                                              {matrix, 0, PredictionScale::kPredictor},
                                              {matrix, std::nullopt, PredictionScale::kPredictor}},
                                             design, {})});
  };
  for (const Family family : {Family::kBinomial, Family::kPoisson}) {
    const Estimated result = figures(elements.weights, family);
    for (std::size_t row = 0; row < kRows; row += 7) {
      const auto moved = [&](double step) {
        Values weights = elements.weights;
        weights[row] += step;
        return figures(weights, family).estimates.values;
      };
      constexpr double kStep = 1e-3;
      const Eigen::VectorXd slope =
          (8 * (moved(kStep) - moved(-kStep)) - (moved(2 * kStep) - moved(-2 * kStep))) /
          (12 * kStep);
      const Eigen::VectorXd expected =
          std::sqrt(kRows / (kRows - 1.0)) * elements.weights[row] * slope;
      const Eigen::VectorXd found =
          result.estimates.deviations.matrix.row(static_cast<Eigen::Index>(row)).transpose();
      EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-9) << row;
    }
  }
}

TEST(Averages, AreThoseOfTheDomain) {
  const Elements elements(300);
  Labels inside;
  for (std::int32_t row = 0; row < 300; ++row) {
    inside.push_back(row % 3 == 0 ? Codes::kNone : 0);
  }
  const Domains domain{Codes(inside, 1)};
  const Design design = Sample{.rows = 300, .weights = elements.weights}.design();
  const Regression fit = fit_regression(design, domain, elements.matrix(), column(elements.yes),
                                        {Family::kBinomial, Link::kLogit});
  const EstimatorPtr average = averages(fit, {{elements.matrix()}}, design, domain);
  const Estimated result = estimate(design, kSample, domain, std::vector{average});
  EXPECT_EQ(result.used[0], fit.used);
  EXPECT_EQ(result.missing[0], fit.missing);
  double above = 0;
  double below = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    if (inside[i] >= 0 && !std::isnan(elements.x[i])) {
      above += elements.weights[i] * elements.yes[i];
      below += elements.weights[i];
    }
  }
  EXPECT_NEAR(result.estimates.values[0], above / below, 1e-13);
}

TEST(Averages, RefuseWhatDoesNotFit) {
  const Elements elements(50);
  const ModelMatrix matrix = elements.matrix();
  const Design design = Sample{.rows = 50}.design();
  const Regression fit =
      fit_regression(design, {}, matrix, column(elements.count), {Family::kPoisson, Link::kLog});
  EXPECT_THROW(averages(fit, {{matrix, 2}}, design, {}), std::out_of_range);
  EXPECT_THROW(averages(fit, {{ModelMatrix(50, {}, {{"(Intercept)", {}}})}}, design, {}),
               std::invalid_argument);
  // A value that is missing at a row of the fit.
  EXPECT_THROW(averages(fit, {{matrix.with(1, kNaN)}}, design, {}), InvalidColumn);
}

}  // namespace
}  // namespace steelyard::testing
