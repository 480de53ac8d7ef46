#include "steelyard/quantile.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/answers.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/distribution_function.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/quantile_score.hpp"

namespace steelyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Quantiles under any weights.
using QuantilesUnder = std::function<RowMatrix(const Design&, const Domains&)>;

/// The distribution function's estimator, turned into that of quantiles by their densities.
class QuantileEstimator final : public Estimator {
 public:
  /// @param again to find them anew under the weights of replicates; may be empty.
  QuantileEstimator(EstimatorPtr below, RowMatrix values, RowMatrix slopes, QuantilesUnder again)
      : Estimator(below->levels()),
        below_(std::move(below)),
        values_(std::move(values)),
        slopes_(std::move(slopes)),
        again_(std::move(again)) {}

  Eigen::Index estimates() const override { return below_->estimates(); }
  bool is_ratio() const override { return true; }
  Linearisation linearise(const DomainSums& sums) const override {
    Linearisation result = below_->linearise(sums);
    result.value = values_.row(sums.domain).transpose();
    result.gradient = slopes_.row(sums.domain).asDiagonal() * result.gradient;
    return result;
  }
  /// By the distribution function at the quantile, as its standard error.
  Eigen::VectorXd replicate(const DomainSums& sums, const DomainSums& whole) const override {
    const Eigen::VectorXd change = below_->linearise(sums).value - below_->linearise(whole).value;
    return values_.row(sums.domain).transpose() +
           slopes_.row(sums.domain).transpose().cwiseProduct(change);
  }
  bool needs_refit() const override { return again_ != nullptr; }
  RowMatrix refit(const Design& design, const Domains& domains) const override {
    return again_(design, domains);
  }

 private:
  EstimatorPtr below_;
  RowMatrix values_;  // domains x probabilities
  RowMatrix slopes_;  // the same: -1 / density
  QuantilesUnder again_;
};

using Samples = std::vector<std::optional<WeightedSample>>;

Samples gather(const Design& design, const Domains& domains, const Column& y, int threads) {
  std::vector<Answers> answers = gather_answers(design, domains, y);
  Samples samples(answers.size());
  parallel_for(domains.count(), threads, [&](Eigen::Index d) {
    const auto at = static_cast<std::size_t>(d);
    if (!answers[at].values.empty()) {
      samples[at].emplace(std::move(answers[at].values), std::move(answers[at].weights));
    }
  });
  return samples;
}

void check(const std::vector<double>& probabilities) {
  const bool inside = std::all_of(probabilities.begin(), probabilities.end(),
                                  [](double p) { return p >= 0 && p <= 1; });
  if (probabilities.empty() || !inside ||
      !std::is_sorted(probabilities.begin(), probabilities.end())) {
    throw std::invalid_argument("probabilities: ascending, within [0, 1]");
  }
}

RowMatrix quantiles_of(const Samples& samples, const std::vector<double>& probabilities,
                       QuantileRule rule) {
  RowMatrix values(static_cast<Eigen::Index>(samples.size()),
                   static_cast<Eigen::Index>(probabilities.size()));
  values.setConstant(kNotANumber);
  for (std::size_t d = 0; d < samples.size(); ++d) {
    for (std::size_t j = 0; j < probabilities.size() && samples[d]; ++j) {
      values(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(j)) =
          samples[d]->quantile(probabilities[j], rule);
    }
  }
  return values;
}

}  // namespace

Quantiles::Quantiles(const Design& design, const Domains& domains, const Column& y,
                     std::vector<double> probabilities, const Options& options, int threads)
    : probabilities_(std::move(probabilities)), options_(options) {
  check(probabilities_);
  const bool by_replicates = options_.errors == QuantileErrors::kReplicates;
  if (by_replicates && design.replicates() == nullptr) {
    throw std::invalid_argument("the design has no replicates to read errors from");
  }
  samples_ = gather(design, domains, y, threads);
  const RowMatrix values = quantiles_of(samples_, probabilities_, options_.rule);
  const RowMatrix points = values.unaryExpr([](double v) { return std::isnan(v) ? 0 : v; });
  const EstimatorPtr below = distribution_function(y, domains, points);
  const Estimated share = estimate(design, SampleKeys(0), domains, std::span(&below, 1), threads);
  const Eigen::VectorXd errors = share.estimates.standard_errors();
  for (Eigen::Index i = 0; i < share.estimates.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto in_domain = static_cast<double>(share.units[at] - share.strata[at]);
    below_.push_back({share.estimates.values[i], errors[i],
                      options_.degrees_of_freedom.value_or(std::max(1.0, in_domain)),
                      share.used[at], share.used[at] > 0 && share.sampled_units[at] == 0});
  }
  std::vector<Interval> scores;
  const bool by_score = options_.errors == QuantileErrors::kScore;
  if (by_score) {
    scores = score_intervals(design, domains, y, probabilities_,
                             {options_.level, Side::kTwo, options_.degrees_of_freedom}, threads);
  }
  RowMatrix slopes(values.rows(), values.cols());
  for (Eigen::Index d = 0; d < values.rows(); ++d) {
    for (Eigen::Index j = 0; j < values.cols(); ++j) {
      const Eigen::Index at = d * values.cols() + j;
      const double freedom = below_[static_cast<std::size_t>(at)].degrees_of_freedom;
      const Interval found =
          by_score ? scores[static_cast<std::size_t>(at)]
                   : interval(d, j, options_.interval, options_.level, Side::kTwo, freedom);
      const double se =
          (found.high - found.low) / (2 * t_quantile((1 + options_.level) / 2, freedom));
      const double share_se = errors[at];
      // A share of 0 or 1 does not vary in the sample: nothing says how the quantile would.
      const bool known = std::isfinite(se) && (share_se > 0 || se == 0);
      slopes(d, j) = known ? (share_se > 0 ? -se / share_se : 0.0) : kNotANumber;
    }
  }
  QuantilesUnder again;
  if (by_replicates) {
    again = [y, wanted = probabilities_, rule = options_.rule](const Design& under,
                                                               const Domains& in) {
      return quantiles_of(gather(under, in, y, 1), wanted, rule);
    };
  }
  estimator_ = std::make_shared<QuantileEstimator>(below, values, slopes, std::move(again));
}

Interval Quantiles::interval(Eigen::Index domain, Eigen::Index probability,
                             ProportionInterval method, double level, Side side,
                             double degrees_of_freedom) const {
  const std::optional<WeightedSample>& sample = samples_[static_cast<std::size_t>(domain)];
  const auto width = static_cast<Eigen::Index>(probabilities_.size());
  ProportionSummary share = below_[static_cast<std::size_t>(domain * width + probability)];
  if (!sample || std::isnan(share.se)) {
    return {kNotANumber, kNotANumber};
  }
  share.degrees_of_freedom = degrees_of_freedom;
  const Interval found = proportion_interval(share, method, level, side);
  return {found.low >= 0 && side != Side::kUpper ? sample->quantile(found.low, options_.rule)
                                                 : -kInfinity,
          found.high <= 1 && side != Side::kLower ? sample->quantile(found.high, options_.rule)
                                                  : kInfinity};
}

}  // namespace steelyard
