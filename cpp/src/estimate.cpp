#include "steelyard/estimate.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "steelyard/cross_products.hpp"
#include "steelyard/design_effect.hpp"
#include "steelyard/error.hpp"
#include "steelyard/influence.hpp"
#include "steelyard/lonely_domain.hpp"
#include "steelyard/projection.hpp"
#include "steelyard/replication.hpp"
#include "steelyard/usage.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

std::vector<Term> linearise_all(const Design& design, const Domains& domains,
                                std::span<const EstimatorPtr> estimators, Grouping grouping,
                                int threads) {
  std::vector<FeatureSums> sums = sum_rows(design, domains, estimators, grouping, threads);
  std::vector<Term> terms;
  for (std::size_t e = 0; e < estimators.size(); ++e) {
    Linearised linearised = linearise(design, domains, *estimators[e], sums[e]);
    terms.push_back({estimators[e], std::move(sums[e]), std::move(linearised)});
  }
  return terms;
}

/// Values, counts and simple-random variances: all of the result but the deviations.
void describe(const Design& design, const Domains& domains, const std::vector<Term>& terms,
              std::vector<bool>& alone, Estimated& result, Eigen::VectorXd& srs,
              Eigen::VectorXd& srs_replace) {
  std::vector<double> values;
  std::vector<double> without;
  std::vector<double> with;
  std::vector<RowMatrix> by_stratum;
  for (const Term& term : terms) {
    by_stratum.push_back(sum_by_stratum(design, term.sums));
  }
  for (Eigen::Index d = 0; d < domains.count(); ++d) {
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const Term& term = terms[t];
      const auto at = static_cast<std::size_t>(d);
      const Linearisation& linear = term.linearised.by_domain[at];
      const Usage usage = usage_of(design, term, by_stratum[t], d);
      const Eigen::VectorXd& sums = term.linearised.sums[at];
      const double population = term.estimator->of_levels() ? sums.sum() : sums[0];
      for (Eigen::Index j = 0; j < term.estimator->estimates(); ++j) {
        const Eigen::VectorXd gradient = linear.gradient.row(j).transpose();
        const Eigen::MatrixXd& second = term.linearised.second[at];
        const SimpleRandomSampling simple{usage.used, population};
        values.push_back(usage.used > 0 ? linear.value[j] : kNotANumber);
        without.push_back(simple_random_variance(simple, gradient, sums, second, false));
        with.push_back(simple_random_variance(simple, gradient, sums, second, true));
        result.used.push_back(usage.used);
        result.missing.push_back(usage.missing);
        result.units.push_back(usage.units);
        result.strata.push_back(usage.strata);
        result.sampled_units.push_back(usage.sampled_units);
        alone.push_back(usage.in_one_unit);
      }
    }
  }
  const auto size = static_cast<Eigen::Index>(values.size());
  result.estimates.values = Eigen::Map<Eigen::VectorXd>(values.data(), size);
  srs = Eigen::Map<Eigen::VectorXd>(without.data(), size);
  srs_replace = Eigen::Map<Eigen::VectorXd>(with.data(), size);
}

/// One domain's estimates from their features, by unit or by row of deviations.
/// @param stratum of each row of features.
template <typename StratumOf>
void put_domain(const Term& term, const RowMatrix& features, const StratumOf& stratum,
                Eigen::Index d, Eigen::Index domains, Eigen::Ref<RowMatrix> into) {
  const Eigen::MatrixXd& gradient = term.linearised.by_domain[static_cast<std::size_t>(d)].gradient;
  const auto mine = features.middleCols(d * term.sums.features, term.sums.features);
  into.noalias() = mine * gradient.transpose();
  if (term.linearised.intercept.size() > 0) {
    for (Eigen::Index row = 0; row < into.rows(); ++row) {
      into.row(row) += mine(row, 0) * term.linearised.intercept.row(stratum(row) * domains + d);
    }
  }
}

/// Brings features to the estimates of all domains.
/// @param features_of of a term: rows x (domains * features).
template <typename FeaturesOf, typename StratumOf>
RowMatrix apply(const Domains& domains, std::vector<Term>& terms, Eigen::Index rows,
                Eigen::Index per_domain, const FeaturesOf& features_of, const StratumOf& stratum) {
  RowMatrix result(rows, domains.count() * per_domain);
  Eigen::Index offset = 0;
  for (Term& term : terms) {
    const RowMatrix features = features_of(term);
    const Eigen::Index estimates = term.estimator->estimates();
    for (Eigen::Index d = 0; d < domains.count(); ++d) {
      put_domain(term, features, stratum, d, domains.count(),
                 result.middleCols(d * per_domain + offset, estimates));
    }
    offset += estimates;
  }
  return result;
}

/// Whole influence values by unit, for what mixes strata: features have another centre in each.
RowMatrix influence_totals(const Design& design, const Domains& domains, std::vector<Term>& terms,
                           Eigen::Index per_domain) {
  return apply(
      domains, terms, design.units(), per_domain,
      [](Term& term) -> const RowMatrix& { return term.sums.by_group; },
      [&](Eigen::Index unit) { return design.stratum_of_unit(unit); });
}

/// Lonely units at their distance from the mean of all units.
void adjust_lonely(const Design& design, const RowMatrix& totals, RowMatrix& deviations) {
  const RowMatrix whole = design.sum_by_stage(totals);
  Eigen::Index at = 0;
  for (const Stage& stage : design.stages()) {
    const Eigen::RowVectorXd overall = whole.middleRows(at, stage.units()).colwise().mean();
    for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
      if (stage.stratum(stage.stratum_of_unit(unit)).lonely) {
        deviations.row(at + unit) = std::sqrt(stage.scale(unit)) * (whole.row(at + unit) - overall);
      }
    }
    at += stage.units();
  }
}

void treat_domains(const Design& design, const Domains& domains, const std::vector<Term>& terms,
                   Eigen::Index per_domain, const RowMatrix& totals, RowMatrix& deviations) {
  Eigen::Index offset = 0;
  for (const Term& term : terms) {
    const Eigen::Index estimates = term.estimator->estimates();
    for (Eigen::Index d = 0; d < domains.count(); ++d) {
      std::vector<char> used(static_cast<std::size_t>(design.units()));
      for (Eigen::Index unit = 0; unit < design.units(); ++unit) {
        used[static_cast<std::size_t>(unit)] =
            is_used(term.sums.by_group, *term.estimator, unit, d) ? 1 : 0;
      }
      const Eigen::Index at = d * per_domain + offset;
      treat_domain(design, used, totals.middleCols(at, estimates),
                   deviations.middleCols(at, estimates));
    }
    offset += estimates;
  }
}

/// The map is linear, so features deviate first, where nothing cancels. Policies that look beyond a
/// stratum then replace their part.
RowMatrix deviations(const Design& design, const Domains& domains, std::vector<Term>& terms,
                     Eigen::Index per_domain, const ProjectionChain::Coefficients& b, int threads) {
  if (design.has_form() || design.weighting() != nullptr) {
    RowMatrix totals = influence_totals(design, domains, terms, per_domain);
    if (design.weighting() != nullptr) {
      design.weighting()->apply(design, b, totals, threads);
    }
    RowMatrix result = design.deviate(totals);
    if (design.treats_domains()) {
      treat_domains(design, domains, terms, per_domain, totals, result);
    }
    return result;
  }
  const auto stratum = [&](Eigen::Index row) { return design.stratum_of_deviation(row); };
  const bool adjusts = design.options().lonely == Lonely::kAdjust;
  if (!adjusts && !design.treats_domains()) {
    return apply(
        domains, terms, design.deviations(), per_domain,
        [&](Term& term) { return design.deviate(std::move(term.sums.by_group)); }, stratum);
  }
  RowMatrix result = apply(
      domains, terms, design.deviations(), per_domain,
      [&](Term& term) { return design.deviate(term.sums.by_group); }, stratum);
  const RowMatrix totals = influence_totals(design, domains, terms, per_domain);
  if (adjusts) {
    adjust_lonely(design, totals, result);
  }
  if (design.treats_domains()) {
    treat_domains(design, domains, terms, per_domain, totals, result);
  }
  return result;
}

/// The ratio of two sums over one unit does not deviate from itself: linearisation says nothing
/// about its error. Not a number, so that nothing made from it can look certain.
void mark_not_estimable(const std::vector<Term>& terms, const std::vector<bool>& alone,
                        Estimated& result) {
  const Eigen::Index size = result.estimates.size();
  for (Eigen::Index i = 0; i < size;) {
    for (const Term& term : terms) {
      for (Eigen::Index j = 0; j < term.estimator->estimates(); ++j, ++i) {
        const auto at = static_cast<std::size_t>(i);
        const bool lone = term.estimator->is_ratio() && alone[at];
        if (result.used[at] == 0 || lone || std::isnan(result.estimates.values[i])) {
          result.estimates.deviations.matrix.col(i).setConstant(kNotANumber);
        }
      }
    }
  }
}

/// Rows of a quadratic form, and replicates, mix units: they are known within their own sample
/// only. As many of them count as there are degrees of freedom, and one more for their stratum.
void set_keys_of_sample(const Design& design, const SampleKeys& keys, Deviations& deviations) {
  const double counted = design.degrees_of_freedom() + 1;
  for (Eigen::Index row = 0; row < design.deviations(); ++row) {
    deviations.units.push_back(mix(keys.sample, static_cast<std::uint64_t>(row)));
    deviations.strata.push_back(mix(~keys.sample, 0));
    deviations.counted.push_back(static_cast<double>(row) < counted ? 1 : 0);
  }
}

void set_keys(const Design& design, const SampleKeys& keys, Deviations& deviations) {
  deviations.samples = {keys.sample};
  const auto rows = static_cast<std::size_t>(deviations.matrix.rows());
  deviations.named.assign(rows, 0);
  std::fill_n(deviations.named.begin(), std::min(rows, keys.names), char{1});
  deviations.signs = design.signs();
  deviations.degrees_of_freedom = design.degrees_of_freedom();
  if (design.has_form() || design.replicates() != nullptr) {
    set_keys_of_sample(design, keys, deviations);
    return;
  }
  for (Eigen::Index row = 0; row < design.deviations(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const auto h = static_cast<std::size_t>(design.stratum_of_deviation(row));
    // Without a name, a unit is known within its own sample only.
    deviations.units.push_back(keys.units.empty() ? mix(keys.sample, at) : keys.units[at]);
    deviations.strata.push_back(keys.strata.empty() ? mix(~keys.sample, h) : keys.strata[h]);
    const bool is_primary = row < design.first().units();
    deviations.counted.push_back(is_primary && design.unit_counts(row) ? 1 : 0);
    deviations.fractions.push_back(is_primary ? design.first().fraction(row) : 0.0);
  }
}

/// A key of the estimates themselves: of their values, their covariance, and some of the rows that
/// they were read from, since an estimate and its complement may have equal values and covariances.
std::uint64_t identity_of(const Estimates& estimates, const Eigen::MatrixXd& covariance,
                          const Domains& domains, std::span<const EstimatorPtr> estimators,
                          std::uint64_t sample) {
  constexpr Eigen::Index kSeen = 1024;
  std::uint64_t key = sample;
  const auto see = [&](double value) { key = mix(key, std::bit_cast<std::uint64_t>(value)); };
  std::for_each(estimates.values.begin(), estimates.values.end(), see);
  for (const double value : covariance.reshaped()) {
    see(value);
  }
  const auto see_rows = [&](Eigen::Index rows, const auto& at) {
    for (Eigen::Index row = 0; row < rows; row += std::max<Eigen::Index>(1, rows / kSeen)) {
      see(static_cast<double>(at(row)));
    }
  };
  see_rows(domains.codes.size(), [&](Eigen::Index row) { return domains.codes[row]; });
  for (const EstimatorPtr& estimator : estimators) {
    const Codes& levels = estimator->levels();
    see_rows(levels.size(), [&](Eigen::Index row) { return levels[row]; });
    for (const Column& column : estimator->columns()) {
      see_rows(column.size(), [&](Eigen::Index row) { return column[row]; });
    }
  }
  return key;
}

void check_lengths(const Design& design, const SampleKeys& keys, const Domains& domains,
                   std::span<const EstimatorPtr> estimators) {
  const auto has = [](const std::vector<std::uint64_t>& names, Eigen::Index size) {
    return names.empty() || static_cast<Eigen::Index>(names.size()) == size;
  };
  const bool of_units = !design.has_form() && design.replicates() == nullptr;
  if (!has(keys.units, of_units ? design.deviations() : design.units()) ||
      !has(keys.strata, design.strata())) {
    throw std::invalid_argument("a key is needed for every unit and every stratum, or for none");
  }
  const auto check = [&](const std::string& name, Eigen::Index size) {
    if (size != design.rows()) {
      throw InvalidColumn(name, InvalidColumn::Problem::kWrongLength,
                          {std::abs(size - design.rows()), {}});
    }
  };
  if (domains.codes.size() > 0) {
    check("domains", domains.codes.size());
  }
  for (const EstimatorPtr& estimator : estimators) {
    for (const Column& column : estimator->columns()) {
      check(column.name(), column.size());
    }
    if (estimator->of_levels()) {
      check("levels", estimator->levels().size());
    }
  }
}

}  // namespace

Estimated estimate(const Design& design, const SampleKeys& keys, const Domains& domains,
                   std::span<const EstimatorPtr> estimators, int threads, Eigen::Index kept) {
  check_lengths(design, keys, domains, estimators);
  Eigen::Index features = 0;
  Eigen::Index per_domain = 0;
  for (const EstimatorPtr& estimator : estimators) {
    features += estimator->features();
    per_domain += estimator->estimates();
  }
  const bool of_rows =
      design.replicates() != nullptr && !design.replicates()->by_unit() && design.rows_are_units();
  const bool element_wise = design.rows_are_units() && keys.units.empty() &&
                            design.replicates() == nullptr && design.weighting() == nullptr &&
                            design.stages().size() == 1 && !design.treats_domains() &&
                            !design.has_form() && design.options().selection == Selection::kEqual &&
                            design.units() * domains.count() * features > kept;
  std::vector<Term> terms =
      linearise_all(design, domains, estimators,
                    element_wise || of_rows ? Grouping::kStratum : Grouping::kUnit, threads);
  const ProjectionChain* weighting = design.weighting();
  const bool has_totals_with_errors = weighting != nullptr && weighting->has_errors_of_totals();
  ProjectionChain::Coefficients b;
  if (weighting != nullptr && (design.replicates() == nullptr || has_totals_with_errors)) {
    b = weighting->coefficients(design, domains, terms, domains.count() * per_domain, threads);
  }
  Estimated result;
  Eigen::VectorXd srs;
  Eigen::VectorXd srs_replace;
  std::vector<bool> alone;
  describe(design, domains, terms, alone, result, srs, srs_replace);
  if (element_wise) {
    const Eigen::MatrixXd covariance = element_covariance(design, domains, terms, threads);
    result.estimates.deviations = square_root(
        covariance, design.degrees_of_freedom(),
        identity_of(result.estimates, covariance, domains, estimators, keys.sample), keys.sample);
  } else if (design.replicates() != nullptr) {
    Replicated found = replicate(design, domains, terms, result.estimates.values, threads);
    result.estimates.deviations.matrix = std::move(found.deviations);
    result.left_out = std::move(found.left_out);
    set_keys(design, keys, result.estimates.deviations);
  } else {
    result.estimates.deviations.matrix = deviations(design, domains, terms, per_domain, b, threads);
    set_keys(design, keys, result.estimates.deviations);
  }
  if (has_totals_with_errors) {
    design.weighting()->add_errors_of_totals(b, result.estimates.deviations);
  }
  mark_not_estimable(terms, alone, result);
  const Eigen::VectorXd variance = result.estimates.standard_errors().cwiseAbs2();
  result.deff = variance.cwiseQuotient(srs);
  result.deff_replace = variance.cwiseQuotient(srs_replace);
  return result;
}

}  // namespace steelyard
