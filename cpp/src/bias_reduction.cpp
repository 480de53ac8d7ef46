#include "steelyard/bias_reduction.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/unit_form.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr Eigen::Index kKeepAll = std::numeric_limits<Eigen::Index>::max();

void check_design(const Design& design) {
  const auto refuse = [](bool wrong, const char* what) {
    if (wrong) {
      throw std::invalid_argument(std::string("bias reduction is not defined for ") + what);
    }
  };
  refuse(design.stages().size() > 1, "a design of several stages");
  refuse(design.has_form(), "a variance that is a quadratic form");
  refuse(design.replicates() != nullptr, "a design with replicates");
  refuse(design.treats_domains(), "policies that treat lonely strata by domain");
  refuse(design.options().lonely == Lonely::kAdjust && design.first().has_lonely(),
         "lonely strata centred at the mean of all units");
}

/// All that the variances of some combinations are made of.
struct Pieces {
  RowMatrix scores;             // units x combinations
  std::vector<UnitForm> forms;  // one a combination
  Eigen::MatrixXd whole;        // units x combinations: |W_i X_i M c|^2
  std::vector<std::int64_t> rows;
};

/// @param combinations of the coefficients of the basis, one a row.
Pieces adjust_all(const UnitAdjustment& adjustment, const Eigen::MatrixXd& combinations,
                  Eigen::Index units, int threads) {
  constexpr double kApart = 0.1;
  const Eigen::Index k = combinations.cols();
  const Eigen::MatrixXd columns = adjustment.inverse() * combinations.transpose();
  Eigen::MatrixXd middle = Eigen::MatrixXd::Zero(2 * k, 2 * k);
  middle.topLeftCorner(k, k) = adjustment.covariance();
  middle.topRightCorner(k, k) = middle.bottomLeftCorner(k, k) = -adjustment.inverse();
  const UnitForm empty{RowMatrix::Zero(units, 2 * k), middle, Eigen::VectorXd::Zero(units), {}};
  Pieces result{RowMatrix::Zero(units, columns.cols()),
                std::vector<UnitForm>(static_cast<std::size_t>(columns.cols()), empty),
                Eigen::MatrixXd::Zero(units, columns.cols()),
                std::vector<std::int64_t>(static_cast<std::size_t>(units))};
  std::vector<char> apart(static_cast<std::size_t>(units), 0);
  parallel_for(units, threads, [&](Eigen::Index unit) {
    const AdjustedUnit adjusted = adjustment.adjust(unit);
    result.scores.row(unit) = adjusted.score.transpose() * columns;
    for (Eigen::Index c = 0; c < columns.cols(); ++c) {
      const auto column = columns.col(c);
      UnitForm& form = result.forms[static_cast<std::size_t>(c)];
      form.u.row(unit).head(k) = (adjusted.seen * column).transpose();
      form.u.row(unit).tail(k) = (adjusted.weighted * column).transpose();
      form.diagonal[unit] = column.dot(adjusted.kept * column);
      result.whole(unit, c) = column.dot(adjusted.whole * column);
    }
    result.rows[static_cast<std::size_t>(unit)] = adjusted.rows;
    apart[static_cast<std::size_t>(unit)] = adjusted.smallest < kApart ? 1 : 0;
  });
  for (Eigen::Index unit = 0; unit < units; ++unit) {
    if (apart[static_cast<std::size_t>(unit)] != 0) {
      for (UnitForm& form : result.forms) {
        form.apart.push_back(unit);
      }
    }
  }
  return result;
}

/// Deviations, degrees of freedom and expectation of some combinations.
struct Variances {
  RowMatrix deviations;
  Eigen::VectorXd degrees_of_freedom;
  Eigen::VectorXd expectation;
  std::int64_t rows = 0;
  std::int64_t units = 0;
};

/// @param whole the variance itself.
void describe(const UnitMap::Traces& found, double whole, double design_df, Eigen::Index c,
              Variances& into) {
  constexpr double kRounding = 1e-9;  // of what no residual shows
  if (whole == 0) {                   // every unit was certain to be sampled
    into.expectation[c] = 1;
    into.degrees_of_freedom[c] = design_df;
    return;
  }
  into.expectation[c] = found.trace / whole;
  into.degrees_of_freedom[c] = found.trace * found.trace / found.squares;
  if (!(into.expectation[c] > kRounding)) {
    into.degrees_of_freedom[c] = kNotANumber;
    into.deviations.col(c).setConstant(kNotANumber);
  }
}

Variances variances(const Regression& fit, const Design& design, const Domains& domains,
                    const Eigen::MatrixXd& combinations, const BiasReductionOptions& options) {
  const ModelSample sample{fit.model->data, design, domains, options.threads};
  sample.check();
  const UnitAdjustment adjustment(*fit.model, sample, options.working);
  const Pieces pieces = adjust_all(adjustment, combinations, design.units(), options.threads);
  const bool centred = options.centring == ScoreCentring::kAlways || design.strata() > 1;
  const UnitMap map(design, centred);
  const UnitMap uncentred(design, false);
  Variances result{centred ? design.deviate(pieces.scores) : map.apply(pieces.scores),
                   Eigen::VectorXd(combinations.rows()), Eigen::VectorXd(combinations.rows())};
  for (Eigen::Index c = 0; c < combinations.rows(); ++c) {
    describe(pieces.forms[static_cast<std::size_t>(c)].traces(map),
             uncentred.traces(pieces.whole.col(c)).trace, design.degrees_of_freedom(), c, result);
  }
  for (const std::int64_t rows : pieces.rows) {
    result.rows += rows;
    result.units += rows > 0 ? 1 : 0;
  }
  return result;
}

/// The rows of one domain as the only domain.
Domains only(const Domains& domains, std::int32_t domain) {
  if (domains.codes.size() == 0) {
    return domains;
  }
  std::vector<std::int32_t> codes(static_cast<std::size_t>(domains.codes.size()));
  for (std::size_t row = 0; row < codes.size(); ++row) {
    codes[row] = domains.codes[static_cast<Eigen::Index>(row)] == domain ? 0 : Codes::kNone;
  }
  return {Codes(std::move(codes), 1)};
}

}  // namespace

BiasReduced reduce_bias(const Regression& fit, const Design& design, const SampleKeys& keys,
                        const Domains& domains, const BiasReductionOptions& options,
                        const Eigen::MatrixXd& combinations) {
  if (fit.model->mean.family() != Family::kGaussian) {
    throw std::invalid_argument("bias reduction is defined for linear regression");
  }
  check_design(design);
  const Eigen::Index k = fit.model->basis.size();
  if (combinations.size() > 0 && combinations.cols() != k) {
    throw std::invalid_argument("a combination needs a number for each coefficient");
  }
  const Eigen::MatrixXd wanted =
      combinations.size() > 0 ? combinations : Eigen::MatrixXd::Identity(k, k);
  Variances found = variances(fit, design, domains, wanted * fit.model->to_columns, options);
  if (found.rows != fit.used) {
    throw std::invalid_argument("the design and domain are not those of the fit");
  }
  if (found.units < 2) {
    throw DesignError(DesignError::Problem::kNoDegreesOfFreedom, {}, {found.rows, {}});
  }
  const EstimatorPtr estimator = coefficients(fit);
  BiasReduced result{
      estimate(design, keys, domains, std::span(&estimator, 1), options.threads, kKeepAll)
          .estimates.contrast(wanted),
      std::move(found.degrees_of_freedom), std::move(found.expectation)};
  result.estimates.deviations.matrix = std::move(found.deviations);
  return result;
}

BiasReduced reduce_bias_of_means(const Column& y, const Design& design, const SampleKeys& keys,
                                 const Domains& domains, const BiasReductionOptions& options) {
  check_design(design);
  const EstimatorPtr estimator = mean(y);
  const Estimated plain =
      estimate(design, keys, domains, std::span(&estimator, 1), options.threads, kKeepAll);
  const Eigen::Index count = domains.count();
  BiasReduced result{plain.estimates, Eigen::VectorXd::Constant(count, kNotANumber),
                     Eigen::VectorXd::Constant(count, kNotANumber)};
  for (Eigen::Index d = 0; d < count; ++d) {
    if (plain.units[static_cast<std::size_t>(d)] < 2) {
      continue;  // without error where the unit was certain, not a number otherwise
    }
    const Domains domain = only(domains, static_cast<std::int32_t>(d));
    const Regression fit =
        fit_regression(design, domain, ModelMatrix(design.rows(), {}, {{"mean", {}}}), y,
                       {.threads = options.threads});
    const Variances found = variances(fit, design, domain, fit.model->to_columns, options);
    result.estimates.deviations.matrix.col(d) = found.deviations;
    result.degrees_of_freedom[d] = found.degrees_of_freedom[0];
    result.expectation[d] = found.expectation[0];
  }
  return result;
}

}  // namespace steelyard
