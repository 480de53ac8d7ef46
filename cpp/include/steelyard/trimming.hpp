#pragma once

#include <Eigen/Core>
#include <limits>
#include <vector>

#include "steelyard/adjustment.hpp"
#include "steelyard/codes.hpp"

namespace steelyard {

/// Weights brought inside bounds, what is cut off being shared out among the others.
///
/// Reference: Potter (1990), A study of procedures to identify and trim extreme sampling weights,
/// Proceedings of the Section on Survey Research Methods; Valliant, Dever & Kreuter (2018),
/// section 14.5.
class Trimming final : public Adjustment {
 public:
  enum class Unit { kWeight, kMedian, kMean };  ///< of the bounds; of the positive weights
  enum class Sharing {
    kNone,          ///< the sum of weights changes
    kEqual,         ///< as much for each, as R survey
    kProportional,  ///< as much of each
  };
  struct Options {
    double low = 0;
    double high = std::numeric_limits<double>::infinity();
    Unit unit = Unit::kWeight;
    Sharing sharing = Sharing::kProportional;
    bool repeats = true;  ///< until all weights lie inside, after sharing too
    /// Linearised errors take the factors of the step as known, as R survey's do; else they know
    /// that the sum of the weights is kept.
    bool is_fixed = false;
    Codes groups;  ///< sums are kept in each; empty: over all
  };

  /// @throws std::invalid_argument for bounds in the wrong order.
  Trimming(Eigen::Index rows, Options options);

  /// Weights are cut off as those of each time that a row counts, so that replicates do as samples.
  Adjusted apply(const Before& before, int threads) const override;

 private:
  Eigen::Index rows_;
  Options options_;

  double unit(const Eigen::VectorXd& weights, const Before& before) const;
  Projection project(const Eigen::VectorXd& before, const Eigen::VectorXd& after,
                     const std::vector<char>& inside) const;
  Eigen::Index groups() const;
  Eigen::Index group(Eigen::Index row) const;
};

}  // namespace steelyard
