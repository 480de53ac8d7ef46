#include "steelyard/regression.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reference.hpp"
#include "samples.hpp"
#include "steelyard/estimate.hpp"

namespace steelyard::testing {
namespace {

ModelMatrix matrix_of(const Table& data, const std::string& formula) {
  Model model(data);
  model.number("ell").number("meals");
  if (formula.ends_with("mobility")) {
    model.number("mobility");
  } else {
    model.levels("stype", {"stypeE", "stypeH", "stypeM"});
  }
  return model.matrix();
}

Column response_of(const Table& data, const std::string& formula) {
  if (formula.starts_with("I(sch.wide")) {
    Values yes;
    for (const std::string& answer : data.text("sch.wide")) {
      yes.push_back(answer == "Yes" ? 1 : 0);
    }
    return column(yes, "sch.wide");
  }
  return data.column_of(formula.substr(0, formula.find('~')));
}

RegressionOptions options_of(const std::string& family) {
  if (family == "quasibinomial") {
    return {Family::kBinomial, Link::kLogit};
  }
  return family == "quasipoisson" ? RegressionOptions{Family::kPoisson, Link::kLog}
                                  : RegressionOptions{};
}

// R 4.2.2, survey 4.1.1: svyglm(formula, design, family), all coefficients of reference_glm.csv of
// designs with one stage and linearised errors. R stops at a relative change of the deviance of
// 1e-8, so that only linear models are known to more than that.
TEST(Regression, EqualsRSurvey) {
  const Table reference("reference_glm.csv");
  const Values estimate_in_r = reference.numbers("estimate");
  const Values se_in_r = reference.numbers("se");
  const Values dispersion_in_r = reference.numbers("dispersion");
  int compared = 0;
  for (std::size_t i = 0; i < estimate_in_r.size(); ++i) {
    const std::string& design_name = reference.text("design")[i];
    const bool one_stage = design_name.starts_with("strat_") || design_name.starts_with("clus1_");
    if (!one_stage || !design_name.ends_with("fpc") ||
        design_name.find("jk") != std::string::npos || reference.text("kind")[i] != "coef") {
      continue;
    }
    const Table data("data/" + reference.text("dataset")[i] + ".csv");
    const std::string& formula = reference.text("formula")[i];
    const std::string& family = reference.text("family")[i];
    const Design design = api_design(data, design_name);
    const ModelMatrix matrix = matrix_of(data, formula);
    const Regression fit =
        fit_regression(design, {}, matrix, response_of(data, formula), options_of(family));
    const Estimated result = estimate_all(design, {coefficients(fit)});
    Eigen::Index j = 0;
    while (matrix.name(j) != reference.text("term")[i]) {
      ++j;
    }
    const double tolerance = family == "gaussian" ? 1e-11 : 1e-6;
    EXPECT_NEAR(result.estimates.values[j] / estimate_in_r[i], 1, tolerance) << i;
    EXPECT_NEAR(se(result, j) / se_in_r[i], 1, tolerance) << i;
    EXPECT_NEAR(fit.dispersion / dispersion_in_r[i], 1, tolerance) << i;
    ++compared;
  }
  EXPECT_GE(compared, 54);
}

struct InR {
  const char* name;
  Family family;
  Link link;
  Values coefficients;
  Values errors;
  double dispersion;
  double deviance;
  double null_deviance;
  double naive;  ///< naive.cov[2, 2]
};

void expect_in_r(const InR& r, const Regression& fit, const Estimated& result) {
  for (Eigen::Index j = 0; j < result.estimates.size(); ++j) {
    const auto at = static_cast<std::size_t>(j);
    EXPECT_NEAR(result.estimates.values[j] / r.coefficients[at], 1, 1e-10) << r.name << j;
    EXPECT_EQ(result.estimates.values[j], fit.coefficients[j]);
    EXPECT_NEAR(se(result, j) / r.errors[at], 1, 1e-10) << r.name << j;
  }
  EXPECT_NEAR(fit.dispersion / r.dispersion, 1, 1e-10) << r.name;
  EXPECT_NEAR(fit.deviance / r.deviance, 1, 1e-11) << r.name;
  EXPECT_NEAR(fit.null_deviance / r.null_deviance, 1, 1e-11) << r.name;
  EXPECT_NEAR(fit.information_inverse(1, 1) / r.naive, 1, 1e-9) << r.name;
}

ModelMatrix ell_and_meals(const Table& data) {
  return Model(data).number("ell").number("meals").matrix();
}

// R 4.2.2, survey 4.1.1, d = svydesign(id = ~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data =
// apistrat): svyglm(I(sch.wide == 'Yes') ~ ell + meals, d, family, control = glm.control(1e-300,
// 100), start), and enroll ~ ell + meals for the last three, started again where it stopped until
// its coefficients stood still: coef, SE, summary()$dispersion, deviance, null.deviance and
// naive.cov[2, 2].
TEST(Regression, EqualsRForEveryFamilyAndLink) {
  const Table data("data/apistrat.csv");
  const Design design = api_design(data, "strat_fpc");
  const std::vector<InR> cases = {
      {"logit",
       Family::kBinomial,
       Link::kLogit,
       {1.5604084235865800512, -0.0068310565546901240, 0.0035247610335343905},
       {0.3155304092598369969, 0.0131470688836889723, 0.0086501377729361114},
       1.0049271163148243,
       183.38327221820396,
       183.65001147275674,
       0.00017606705590746412},
      {"probit",
       Family::kBinomial,
       Link::kProbit,
       {0.9405586582238411042, -0.0038352657833777837, 0.0019618696530772613},
       {0.1769474812693836163, 0.0073668785913840575, 0.0048084583903302263},
       1.0049625756470995,
       183.38196417998245,
       183.65001147275674,
       5.503839975059938e-05},
      {"cloglog",
       Family::kBinomial,
       Link::kCloglog,
       {0.5612267311849833407, -0.0032520022732541220, 0.0016426724386928552},
       {0.1497869496079255180, 0.0062366772163570793, 0.0040246581366432501},
       1.0049965028195063,
       183.38022386184844,
       183.65001147275674,
       3.9204491213579889e-05},
      {"gamma log",
       Family::kGamma,
       Link::kLog,
       {6.4295052811769854983, 0.0018938426054966723, -0.0017486428192927961},
       {0.0751118327469492558, 0.0025645300363401203, 0.0021526970293714582},
       0.55021723157887525,
       78.548049027631521,
       78.770864607217575,
       2.5131023704256308e-05},
      {"gamma inverse",
       Family::kGamma,
       Link::kInverse,
       {1.6101835351914453e-03, -2.8778430602533680e-06, 2.8471673072731987e-06},
       {1.2429490391535207e-04, 4.4014575537535381e-06, 3.7135673815212243e-06},
       0.54999653298157747,
       78.556512068558746,
       78.770864607217575,
       7.2862790454190453e-11},
      {"poisson",
       Family::kPoisson,
       Link::kLog,
       {6.4307582967338783320, 0.0016917957847807916, -0.0016783992052622312},
       {0.0752221638176479995, 0.0025810680998597240, 0.0021660709807651557},
       327.47312045039763,
       50539.724279537375,
       50666.49270240133,
       4.283205076305804e-08}};
  for (const InR& r : cases) {
    const Column response =
        r.family == Family::kBinomial ? response_of(data, "I(sch.wide") : data.column_of("enroll");
    const Regression fit =
        fit_regression(design, {}, ell_and_meals(data), response, {r.family, r.link});
    expect_in_r(r, fit, estimate_all(design, {coefficients(fit)}));
    EXPECT_TRUE(fit.converged);
    EXPECT_LE(fit.iterations, 30);
  }
}

// As above: svyglm(api.stu ~ ell + meals + offset(log(enroll)), d, family = quasipoisson()).
TEST(Regression, EqualsRWithAnOffset) {
  const Table data("data/apistrat.csv");
  Values log_enroll = data.numbers("enroll");
  for (double& x : log_enroll) {
    x = std::log(x);
  }
  const Design design = api_design(data, "strat_fpc");
  const Regression fit =
      fit_regression(design, {}, ell_and_meals(data), data.column_of("api.stu"),
                     {Family::kPoisson, Link::kLog, column(log_enroll, "log(enroll)")});
  expect_in_r({"offset",
               Family::kPoisson,
               Link::kLog,
               {-0.1992209218531124648, -0.0011793776520303194, 0.0010089870779190857},
               {0.02060663773525444817, 0.00060137749172784675, 0.00049151419264251248},
               7.1407899482920758,
               1554.7886172941912,
               1591.6101769894101,
               5.8317015154505037e-08},
              fit, estimate_all(design, {coefficients(fit)}));
}

// As above: svyglm(api00 ~ acs.k3 + ell, svydesign(id = ~dnum, weights = ~pw, data = apiclus1)),
// where 39 schools have no acs.k3.
TEST(Regression, EqualsRWhereValuesAreMissing) {
  const Table data("data/apiclus1.csv");
  const Design design = api_design(data, "clus1_nofpc");
  const Regression fit = fit_regression(
      design, {}, Model(data).number("acs.k3").number("ell").matrix(), data.column_of("api00"), {});
  const Estimated result = estimate_all(design, {coefficients(fit)});
  expect_in_r({"missing",
               Family::kGaussian,
               Link::kIdentity,
               {540.269639848114707, 11.499118865470761, -4.101212830919482},
               {118.28421616819487383, 5.06607634307844190, 0.45097492058611266},
               6240.7385478011756,
               892425.61233556806,
               1611728.4930555555,
               0.0019385951426229289},
              fit, result);
  EXPECT_EQ(fit.used, 144);
  EXPECT_EQ(fit.missing, 39);
  EXPECT_EQ(result.used[0], 144);
  EXPECT_EQ(result.missing[0], 39);
}

// As above: svyglm(..., subset(d, ell > 10), family = quasibinomial()).
TEST(Regression, EqualsRInADomain) {
  const Table data("data/apistrat.csv");
  Labels inside;
  for (const double ell : data.numbers("ell")) {
    inside.push_back(ell > 10 ? 0 : Codes::kNone);
  }
  const Domains domain{Codes(inside, 1)};
  const Design design = api_design(data, "strat_fpc");
  const Regression fit =
      fit_regression(design, domain, ell_and_meals(data), response_of(data, "I(sch.wide"),
                     {Family::kBinomial, Link::kLogit});
  const EstimatorPtr estimator = coefficients(fit);
  expect_in_r({"domain",
               Family::kBinomial,
               Link::kLogit,
               {1.7736970759042594015, -0.0112463272151881177, 0.0032120793379143389},
               {0.461436881659504305, 0.015266457838101995, 0.010216994445068517},
               1.0049948441427665,
               107.69855801777867,
               108.22688669911712,
               0.00027936248007219284},
              fit, estimate(design, kSample, domain, std::vector{estimator}));
  EXPECT_EQ(fit.used, 118);
}

/// Indicators of every level, without an intercept.
ModelMatrix indicators(const Codes& levels) {
  std::vector<ModelMatrix::Factor> factors;
  std::vector<ModelMatrix::Product> columns;
  for (std::int32_t level = 0; level < levels.levels(); ++level) {
    factors.push_back({{}, levels, Eigen::VectorXd::Unit(levels.levels(), level)});
    columns.push_back({"level " + std::to_string(level), {level}});
  }
  return {levels.size(), factors, columns};
}

TEST(Regression, OnIndicatorsHasTheMeansAndSharesOfTheGroups) {
  const Survey survey = random_survey(900, 3, 14, 51);
  const Design design = survey.sample.design();
  Values high = survey.y;
  for (double& y : high) {
    y = std::isnan(y) ? y : (y > 10.3 ? 1 : 0);
  }
  const Domains domains{survey.domain};
  const Estimated means = estimate(design, kSample, domains, std::vector{mean(column(survey.y))});
  const Estimated shares = estimate(design, kSample, domains, std::vector{mean(column(high))});
  const ModelMatrix groups = indicators(survey.domain);
  const Regression linear = fit_regression(design, {}, groups, column(survey.y), {});
  const Regression logistic =
      fit_regression(design, {}, groups, column(high), {Family::kBinomial, Link::kLogit});
  const Estimated of_means = estimate_all(design, {coefficients(linear)});
  const Estimated of_shares = estimate_all(design, {coefficients(logistic)});
  EXPECT_TRUE(of_means.estimates.covariance().isApprox(means.estimates.covariance(), 1e-11));
  for (Eigen::Index g = 0; g < 3; ++g) {
    const double p = shares.estimates.values[g];
    EXPECT_NEAR(linear.coefficients[g] / means.estimates.values[g], 1, 1e-13);
    EXPECT_NEAR(logistic.coefficients[g], std::log(p / (1 - p)), 1e-12);
    EXPECT_NEAR(se(of_shares, g) / (se(shares, g) / (p * (1 - p))), 1, 1e-11);
  }
}

}  // namespace
}  // namespace steelyard::testing
