#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "steelyard/answers.hpp"
#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/quantile_rule.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Some of those who set a poverty line: the rows with a code. Empty codes: all of them.
struct PovertyGroup {
  Codes codes;
  std::int32_t code = 0;
};

/// Poverty relative to a line that the sample itself sets: a share of a quantile of income.
///
/// The domains of the constructor are those whose members set the line: usually all rows are one
/// domain, the whole sample. A figure may be wanted for a group among them. Rows outside the group
/// then still count through the line, so that the group is a part of the estimator, and `estimate`
/// is called with the domains of the line:
///
///     const PovertyLine line(design, Domains{}, income, {});
///     estimate(design, keys, Domains{}, {line.rate({region, 0}), line.rate({region, 1})});
///
/// Counts of rows and units, and design effects, are those of the line's domain. For a line that
/// each group sets for itself the groups are the domains.
///
/// Influences, in the notation of the members below: the density f at a point is that of a Gaussian
/// kernel, f(x) = sum of w phi((x - y) / h) / (N h), with N the sum of weights and the bandwidth
/// h = s N^(-1/5), s the weighted standard deviation with N as divisor; over the group where a
/// group is meant (as R convey's densfun and h_fun). So standard errors, though not the figures,
/// depend on the unit of the weights.
///
/// Reference: Osier (2009), Variance estimation for complex indicators of poverty and inequality
/// using linearization techniques, Survey Research Methods 3(3); Deville (1999), Survey Methodology
/// 25(2).
class PovertyLine {
 public:
  struct Options {
    double share = 0.6;
    double probability = 0.5;
    QuantileRule rule = QuantileRule::kMath;
    /// A line in the unit of the column, in place of one that the sample sets. It has no error.
    std::optional<double> fixed = std::nullopt;
  };

  /// @param y income, NaN where missing. Gaps need a line above 0.
  /// @throws std::invalid_argument unless share > 0, probability is within (0, 1), and a fixed line
  ///         is finite.
  /// @throws InvalidColumn for infinite values, and for a column or domains of another length than
  ///         the sample.
  PovertyLine(const Design& design, const Domains& domains, const Column& y, const Options& options,
              int threads = 0);

  /// The line t of each domain.
  const Eigen::VectorXd& thresholds() const { return thresholds_; }

  /// t = share * q, q the quantile. Influence: -share (1(y <= q) - probability) / (N f(q)).
  EstimatorPtr threshold() const;

  /// The part R of the group with y < t. (R convey counts y = t as poor.) Influence:
  /// 1(group) (1(y < t) - R) / N + f(t) z, with z the influence of t; N and f those of the group.
  /// @throws InvalidColumn for group codes of another length than the sample.
  EstimatorPtr rate(const PovertyGroup& group = {}) const;

  /// Relative median poverty gap (t - m) / t, with m the median of y < t in the group. Influence:
  /// m z / t^2 - z_m / t, z_m = (z_R / 2 - 1(group) (1(y <= m) - R / 2) / N) / f(m). Not a number
  /// where nobody is below the line, or the line is not above 0.
  /// @throws InvalidColumn for group codes of another length than the sample.
  EstimatorPtr gap(const PovertyGroup& group = {}) const;

 private:
  Eigen::Index rows_;
  Column y_;
  Options options_;
  int threads_;
  std::shared_ptr<const std::vector<Answers>> answers_;  // by domain
  Eigen::VectorXd quantiles_;
  Eigen::VectorXd thresholds_;
  Eigen::VectorXd slopes_;  // z / (1(y <= q) - probability)

  EstimatorPtr figure(const PovertyGroup& group, bool of_gap) const;
};

/// The share below a line that was fixed beforehand, in every domain: a plain proportion of y <
/// threshold. It equals the rate of a `PovertyLine` fixed there, and has a group's own counts.
/// @throws std::invalid_argument for a threshold that is not finite.
EstimatorPtr share_below(const Column& y, const Domains& domains, double threshold);

}  // namespace steelyard
