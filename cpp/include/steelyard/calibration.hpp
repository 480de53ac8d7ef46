#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <vector>

#include "steelyard/adjustment.hpp"
#include "steelyard/distance.hpp"

namespace steelyard {

/// Weights as near as may be to those before, by some distance, that add up to given totals of the
/// controls: w g(q x^T lambda).
///
/// Post-stratification, weighting classes, raking and GREG are special cases. With totals that are
/// sums over the sample, what they are to be is estimated too, and the variance knows.
///
/// References: Deville & Särndal (1992), JASA 87(418); Deville, Särndal & Sautory (1993), JASA
/// 88(423); Chen, Valliant & Elliott (2018), and Bardsley & Chambers (1984), for slack.
class Calibration final : public Adjustment {
 public:
  /// With which weights residuals are made (Deville & Särndal 1992, section 3).
  enum class Residuals {
    kBefore,      ///< those before the step, as R survey; equal in large samples
    kDerivative,  ///< the derivative of the step: right too where g is far from 1
  };
  struct Options {
    Distance distance = Distance(Distance::Kind::kLinear, {});
    /// The bounds are of the weights, not of their factors.
    bool bounds_on_weights = false;
    Residuals residuals = Residuals::kBefore;
    Column scale;    ///< variance of each row about its regression, 1 / q; empty: 1
    Codes clusters;  ///< rows of one share g; empty: rows on their own
    /// Of totals that were estimated: rows x (groups * controls). Their error is added.
    /// Reference: Dever & Valliant (2010), A comparison of variance estimators for
    /// poststratification to estimated control totals, Survey Methodology 36(1).
    std::optional<Deviations> of_totals;
    /// Totals are shares of the sum of weights as it is, which the sample estimates: one of each
    /// control; in place of totals.
    Eigen::VectorXd shares;
    Eigen::VectorXd slack;  ///< by control: how far a total may be missed; empty: not at all
  };

  /// @param totals groups x controls.
  /// @throws std::invalid_argument for totals of another shape or not finite, bounds of factors
  /// that
  ///         do not lie around 1, and clusters beside a scale or bounds of weights.
  Calibration(Controls controls, RowMatrix totals, Options options);
  /// To totals of the sample: sums over some rows, by their weights before the step, which other
  /// rows are to stand for.
  /// @param stands one byte a row: does it keep a weight?
  /// @param counts one byte a row: does it count in the totals? Rows of neither keep their weight.
  Calibration(Controls controls, std::vector<std::uint8_t> stands, std::vector<std::uint8_t> counts,
              Options options);

  /// To the totals that the base weights of the chain gave.
  static std::shared_ptr<Calibration> to_base(Controls controls, Options options);

  Adjusted apply(const Before& before, int threads) const override;
  Eigen::VectorXd replay(const Before& before, int threads) const override;

 private:
  struct Problem;
  struct Solution;

  Controls controls_;
  std::optional<Cells> cells_;  // none: they depend on the weights
  enum class Target { kTotals, kShares, kSample, kBase };
  Target target_ = Target::kTotals;
  RowMatrix totals_;
  std::vector<std::uint8_t> stands_;
  std::vector<std::uint8_t> counts_;
  Options options_;

  bool of_sample() const { return target_ == Target::kSample; }
  void check() const;
  Problem pose(const Before& before, int threads) const;
  void drop(Problem& problem) const;
  void settle(Problem& problem) const;
  Solution solve(const Problem& problem, int threads) const;
  Eigen::VectorXd weights_of(const Problem& problem, const Solution& solution,
                             const Eigen::VectorXd& weights) const;
  Projection project(const Problem& problem, const Solution& solution, const Before& before,
                     const Eigen::VectorXd& after, int threads) const;
};

}  // namespace steelyard
