#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/interval.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/quantile_rule.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// What the standard errors of quantiles are read from.
enum class QuantileErrors {
  kWoodruff,    ///< the interval of the distribution function, read back
  kScore,       ///< the quantiles that a test does not reject
  kReplicates,  ///< the quantiles under the weights of each replicate
};

/// Quantiles of one column in every domain, with what their intervals are made of.
///
/// A quantile's interval is that of the distribution function at the quantile, read back through
/// the sample (Woodruff). Its standard error is the length of that interval over twice the t
/// quantile, and its influence is that of the distribution function over the density that the two
/// standard errors imply.
///
/// References: Woodruff (1952), JASA 47; Francisco & Fuller (1991), Annals of Statistics 19(1);
/// Dorfman & Valliant (1993), Proc. Survey Research Methods Section; Hyndman & Fan (1996).
class Quantiles {
 public:
  struct Options {
    QuantileRule rule = QuantileRule::kMath;
    ProportionInterval interval = ProportionInterval::kWald;
    QuantileErrors errors = QuantileErrors::kWoodruff;
    /// The level and degrees of freedom that standard errors are read from.
    double level = 0.95;
    /// None: units minus strata among those with an answer in the domain.
    std::optional<double> degrees_of_freedom;
  };

  /// @param probabilities ascending, within [0, 1].
  /// @throws std::invalid_argument for other probabilities, and for errors by replicates where the
  ///         design has none.
  Quantiles(const Design& design, const Domains& domains, const Column& y,
            std::vector<double> probabilities, const Options& options, int threads = 0);

  /// Estimates in the order of the probabilities, for `estimate` with the same design and domains.
  const EstimatorPtr& estimator() const { return estimator_; }

  /// Infinite where the distribution function's interval leaves [0, 1]: the sample does not bound
  /// the quantile on that side. NaN where the domain has no answers.
  Interval interval(Eigen::Index domain, Eigen::Index probability, ProportionInterval method,
                    double level, Side side, double degrees_of_freedom) const;

 private:
  std::vector<double> probabilities_;
  Options options_;
  std::vector<std::optional<WeightedSample>> samples_;  // by domain; none: no answers
  std::vector<ProportionSummary> below_;  // domains x probabilities: the share at or below
  EstimatorPtr estimator_;
};

}  // namespace steelyard
