#include "steelyard/ordinal.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reference.hpp"
#include "samples.hpp"
#include "steelyard/error.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/regression.hpp"

namespace steelyard::testing {
namespace {

/// cut(api00, c(0, 550, 650, 750, 1000))
Codes bands(const Table& data) {
  Labels result;
  for (const double score : data.numbers("api00")) {
    result.push_back(score <= 550 ? 0 : (score <= 650 ? 1 : (score <= 750 ? 2 : 3)));
  }
  return codes(result);
}

ModelMatrix three_columns(const Table& data) {
  return Model(data).number("ell").number("meals").number("mobility").matrix();
}

struct InR {
  const char* data;
  const char* design;
  Link link;
  Values values;
  Values errors;
};

// R 4.2.2, survey 4.1.1: the maximum and the sandwich of
//   svyolr(cut(api00, c(0, 550, 650, 750, 1000)) ~ ell + meals + mobility, design, method),
// from its score function by Newton's method (Hessian by Richardson's extrapolation) and
// survey:::svyrecvar. svyolr itself takes the Hessian from optim, which moves its errors by 1e-4.
const std::vector<InR>& in_r() {
  static const std::vector<InR> result = {
      {"data/apistrat.csv",
       "strat_fpc",
       Link::kLogit,
       {-0.0246178247846116638, -0.0741101663370784952, 0.0056944156932008201,
        -6.6840917248920153071, -4.2581518150420567537, -1.8619868304019182581},
       {0.0117234648685098607, 0.0093483101839160095, 0.0098620452480954711, 0.5694242246409072505,
        0.3701489452366674704, 0.2950463347440774875}},
      {"data/apistrat.csv",
       "strat_fpc",
       Link::kProbit,
       {-0.014435822388424398, -0.040648253124532144, 0.001824858760729070, -3.695694839529279463,
        -2.390551655985982737, -1.043001820316308281},
       {0.0063115344776188088, 0.0051418384388495731, 0.0057814578678759511, 0.2902466275352951763,
        0.2001817117656270462, 0.1730911893890706155}},
      {"data/apiclus1.csv",
       "clus1_nofpc",
       Link::kLogit,
       {-0.023683974121335480, -0.094769342187136063, -0.012255129787234217, -8.453306438296948500,
        -5.612492362829955894, -2.217914082409465859},
       {0.012396545522521120, 0.018153522461271897, 0.012128995149772616, 1.720626135939683721,
        1.302466777718829904, 0.832611052832835874}}};
  return result;
}

TEST(Ordinal, EqualsR) {
  for (const InR& r : in_r()) {
    const Table data(r.data);
    const Design design = api_design(data, r.design);
    const Ordinal fit = fit_ordinal(design, {}, three_columns(data), bands(data), {.link = r.link});
    const Estimated result = estimate_all(design, {coefficients(fit)});
    ASSERT_EQ(result.estimates.size(), 6);
    for (Eigen::Index j = 0; j < 6; ++j) {
      const auto at = static_cast<std::size_t>(j);
      EXPECT_NEAR(result.estimates.values[j] / r.values[at], 1, 1e-9) << r.design << j;
      EXPECT_NEAR(se(result, j) / r.errors[at], 1, 1e-8) << r.design << j;
    }
    EXPECT_TRUE(fit.aliased[0]);  // the intercept: thresholds are one
  }
}

// R: svyolr(...)$deviance.
TEST(Ordinal, HasTheDevianceOfR) {
  const Table data("data/apistrat.csv");
  const Ordinal fit =
      fit_ordinal(api_design(data, "strat_fpc"), {}, three_columns(data), bands(data), {});
  EXPECT_NEAR(fit.deviance / 357.73357113330053, 1, 1e-11);
  EXPECT_EQ(fit.used, 200);
}

TEST(Ordinal, OfTwoCategoriesIsABinomialRegression) {
  const Table data("data/apiclus1.csv");
  const Design design = api_design(data, "clus1_fpc");
  Labels high;
  Values high_number;
  for (const double score : data.numbers("api00")) {
    high.push_back(score > 650 ? 1 : 0);
    high_number.push_back(high.back());
  }
  for (const Link link : {Link::kLogit, Link::kProbit}) {
    const Ordinal ordinal =
        fit_ordinal(design, {}, three_columns(data), codes(high), {.link = link});
    const Regression binomial = fit_regression(design, {}, three_columns(data), column(high_number),
                                               {Family::kBinomial, link});
    EXPECT_NEAR(ordinal.thresholds[0] / -binomial.coefficients[0], 1, 1e-9);
    EXPECT_TRUE(ordinal.slopes.tail(3).isApprox(binomial.coefficients.tail(3), 1e-9));
    EXPECT_NEAR(ordinal.deviance / binomial.deviance, 1, 1e-12);
    EXPECT_NEAR(ordinal.null_deviance / binomial.null_deviance, 1, 1e-12);
    const Estimated first = estimate_all(design, {coefficients(ordinal)});
    const Estimated second = estimate_all(design, {coefficients(binomial)});
    if (link == Link::kLogit) {  // elsewhere expected and observed information differ
      EXPECT_NEAR(se(first, 3) / se(second, 0), 1, 1e-9);
      EXPECT_NEAR(se(first, 0) / se(second, 1), 1, 1e-9);
    }
  }
}

TEST(Ordinal, WithoutColumnsHasTheSharesOfTheCategories) {
  const Table data("data/apiclus1.csv");
  const Design design = api_design(data, "clus1_fpc");
  const ModelMatrix nothing = Model(data).matrix();
  const Ordinal fit = fit_ordinal(design, {}, nothing, bands(data), {});
  LevelSets up_to = LevelSets::Zero(3, 4);
  up_to.leftCols(3).triangularView<Eigen::Lower>().setOnes();
  const Estimated shares = estimate_all(design, {proportion(bands(data), up_to)});
  const Estimated result = estimate_all(design, {coefficients(fit)});
  for (Eigen::Index j = 0; j < 3; ++j) {
    const double p = shares.estimates.values[j];
    EXPECT_NEAR(fit.thresholds[j], std::log(p / (1 - p)), 1e-12);
    EXPECT_NEAR(se(result, j) / (se(shares, j) / (p * (1 - p))), 1, 1e-10);
  }
  EXPECT_NEAR(fit.deviance / fit.null_deviance, 1, 1e-13);
}

struct Simulated {
  Values weights;
  Values x;
  Values z;
  Labels answer;
};

Simulated simulate(std::int32_t rows) {
  Random random(61);
  Simulated result;
  for (std::int32_t row = 0; row < rows; ++row) {
    result.weights.push_back(random.uniform(1, 9));
    result.x.push_back(random.uniform() < 0.05 ? kNaN : 2023 + random.below(4));
    result.z.push_back(random.normal());
    const double latent = 0.5 * result.z.back() + random.normal();
    result.answer.push_back(latent < -1 ? 0 : (latent < 0 ? 1 : (latent < 0.7 ? 2 : 3)));
    if (random.uniform() < 0.03) {
      result.answer.back() = Codes::kNone;
    }
  }
  return result;
}

ModelMatrix two_columns(const Values& x, const Values& z) {
  return {static_cast<Eigen::Index>(x.size()),
          {{column(x, "x"), {}, {}}, {column(z, "z"), {}, {}}},
          {{"x", {0}}, {"z", {1}}}};
}

TEST(Ordinal, IsTheSameForAnyThreadsAndUnchangedByTheScaleOfWeights) {
  constexpr std::int32_t kRows = 150'000;
  const Simulated s = simulate(kRows);
  const ModelMatrix matrix = two_columns(s.x, s.z);
  const Codes answer(s.answer, 4);
  const Design design = Sample{.rows = kRows, .weights = s.weights}.design();
  const Ordinal one = fit_ordinal(design, {}, matrix, answer, {.threads = 1});
  for (const int threads : {2, 3}) {
    const Ordinal other = fit_ordinal(design, {}, matrix, answer, {.threads = threads});
    EXPECT_TRUE(same_bits(one.slopes, other.slopes));
    EXPECT_TRUE(same_bits(one.thresholds, other.thresholds));
    EXPECT_TRUE(same_bits(one.information_inverse, other.information_inverse));
  }
  for (const double factor : {1e-6, 1e9}) {
    Values scaled = s.weights;
    for (double& w : scaled) {
      w *= factor;
    }
    const Ordinal other =
        fit_ordinal(Sample{.rows = kRows, .weights = scaled}.design(), {}, matrix, answer, {});
    EXPECT_TRUE(one.thresholds.isApprox(other.thresholds, 1e-10));
    EXPECT_TRUE(one.information_inverse.isApprox(other.information_inverse, 1e-9));
  }
}

TEST(Ordinal, CountsMissingRows) {
  const Simulated s = simulate(2000);
  std::int64_t missing = 0;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    missing += std::isnan(s.x[i]) || s.answer[i] < 0 ? 1 : 0;
  }
  const Design design = Sample{.rows = 2000, .weights = s.weights}.design();
  const Ordinal fit = fit_ordinal(design, {}, two_columns(s.x, s.z), Codes(s.answer, 4), {});
  EXPECT_EQ(fit.missing, missing);
  EXPECT_EQ(fit.used, 2000 - missing);
  const Estimated result = estimate_all(design, {coefficients(fit)});
  EXPECT_EQ(result.missing[0], missing);
  EXPECT_EQ(result.used[0], 2000 - missing);
}

FitError::Problem problem_of(const ModelMatrix& matrix, const Codes& answer,
                             const Domains& domain = {}) {
  try {
    fit_ordinal(Sample{.rows = matrix.rows()}.design(), domain, matrix, answer, {});
  } catch (const FitError& error) {
    return error.problem;
  }
  ADD_FAILURE() << "no error";
  return FitError::Problem::kNothingToFit;
}

TEST(Ordinal, RefusesSeparation) {
  // A threshold of x separates the categories; then only the last one from the others.
  const ModelMatrix complete({two_columns({1, 2, 3, 4, 5, 6}, {1, 2, 1, 2, 1, 2})});
  EXPECT_EQ(problem_of(complete, codes({0, 0, 1, 1, 2, 2})), FitError::Problem::kSeparation);
  const ModelMatrix quasi({two_columns({0, 0, 0, 0, 0, 0, 1, 1}, {1, 2, 1, 2, 1, 2, 2, 1})});
  EXPECT_EQ(problem_of(quasi, codes({0, 1, 1, 0, 2, 2, 2, 2})), FitError::Problem::kSeparation);
}

TEST(Ordinal, RefusesSeparationInADomainThatBeginsLate) {
  Values x(1200, 0);
  Values z(1200, 1);
  Labels answer(1200, 1);
  Labels inside(1200, Codes::kNone);
  for (std::size_t i = 1100; i < 1112; ++i) {
    inside[i] = 0;
    x[i] = static_cast<double>(i);
    z[i] = static_cast<double>(i % 2);
    answer[i] = static_cast<std::int32_t>((i - 1100) / 4);
  }
  EXPECT_EQ(problem_of(two_columns(x, z), codes(answer), {Codes(inside, 1)}),
            FitError::Problem::kSeparation);
}

TEST(Ordinal, RefusesWhatItCannotFit) {
  const ModelMatrix matrix({two_columns({1, 2, 3, 4, 5}, {1, 2, 1, 2, 1})});
  EXPECT_EQ(problem_of(matrix, Codes({0, 2, 0, 2, 2}, 3)), FitError::Problem::kEmptyCategory);
  const Codes nobody(Labels(5, Codes::kNone), 3);
  EXPECT_EQ(problem_of(matrix, nobody), FitError::Problem::kNothingToFit);
  const Design design = Sample{.rows = 5}.design();
  EXPECT_THROW(fit_ordinal(design, {}, matrix, Codes({0, 0, 0, 0, 0}, 1), {}),
               std::invalid_argument);
  EXPECT_THROW(fit_ordinal(design, {}, matrix, codes({0, 1, 0}), {}), InvalidColumn);
  EXPECT_THROW(fit_ordinal(design, {}, matrix, codes({0, 1, 0, 1, 0}), {.link = Link::kLog}),
               std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
