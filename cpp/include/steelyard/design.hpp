#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// What to do with a stratum in which a single unit was sampled, though the population has more.
enum class Lonely {
  kFail,       ///< refuse the design, naming the strata
  kRemove,     ///< the stratum adds no variance
  kCertainty,  ///< the unit was certain to be sampled: no variance
  kAdjust,     ///< centre the unit at the mean of all units instead of its stratum's
  kAverage,    ///< the stratum adds the mean variance of the others
};

/// A stratified sample of units, seen as a linear map.
///
/// Takes totals of influence values by sampling unit and returns deviations D, one row a unit, such
/// that the covariance of the estimates is D^T D. Knows nothing of estimators. A unit is a cluster,
/// or a row where there are no clusters.
///
/// Reference: Särndal, Swensson & Wretman (1992), section 3.7; Lumley (2010), appendix A.
class Design {
 public:
  struct Stratum {
    std::int64_t units = 0;  ///< units sampled, n_h
    double fraction = 0;     ///< units sampled over units in the population, f_h
    bool lonely = false;     ///< one unit, and not the whole population
  };

  /// @param weights population elements that a row stands for; an empty column: 1 / f_h, or 1.
  /// @param strata  one code a row; empty: one stratum.
  /// @param units   cluster of each row; empty: every row is a unit.
  /// @param fpc     units in the population of the row's stratum (all values >= 1 and >= n_h), or
  ///                sampling fractions (all <= 1); empty: sampled with replacement.
  /// @throws InvalidColumn for weights that are NaN, negative, infinite or all zero, and for
  ///         missing strata, units or fpc.
  /// @throws DesignError for a unit in two strata, an inconsistent fpc, or a lonely stratum.
  static Design stratified(Eigen::Index rows, Column weights, Codes strata, Codes units, Column fpc,
                           Lonely lonely);

  Eigen::Index rows() const { return rows_; }
  Eigen::Index units() const { return units_; }
  Eigen::Index strata() const { return static_cast<Eigen::Index>(stratum_.size()); }
  const Stratum& stratum(Eigen::Index h) const { return stratum_[static_cast<std::size_t>(h)]; }
  bool rows_are_units() const { return unit_of_row_.size() == 0; }
  /// Units minus strata, counting those with a positive weight.
  double degrees_of_freedom() const { return degrees_of_freedom_; }

  /// Weights of rows [begin, begin + count); see Column::read.
  const double* weights(Eigen::Index begin, Eigen::Index count, double* buffer) const;
  /// Unit of each row, or null where rows are units.
  const std::int32_t* unit_of_row() const { return unit_of_row_.data(); }
  std::int32_t stratum_of_unit(Eigen::Index unit) const {
    return strata() == 1 ? 0 : stratum_of_unit_[unit];
  }

  /// Does the unit count for the degrees of freedom: has it a positive weight?
  bool unit_counts(Eigen::Index unit) const { return unit_counts_[static_cast<std::size_t>(unit)]; }

  /// Factor of a stratum's centred sum of squares: (1 - f_h) n_h / (n_h - 1), by its policy.
  double scale(Eigen::Index h) const;
  Lonely lonely() const { return lonely_; }

  /// Turns unit totals into deviations, in place: sqrt(scale_h) * (z_hi - mean_h).
  /// @param totals units x estimates.
  void deviate(Eigen::Ref<RowMatrix> totals) const;

 private:
  Eigen::Index rows_ = 0;
  Eigen::Index units_ = 0;
  Column weights_;
  std::vector<double> stratum_weight_;  // 1 / f_h where no weights were given
  Codes unit_of_row_;
  Codes stratum_of_unit_;
  std::vector<Stratum> stratum_;
  std::vector<bool> unit_counts_;
  Lonely lonely_ = Lonely::kFail;
  double average_inflation_ = 1;
  double degrees_of_freedom_ = 0;

  void assign_strata(const Codes& strata);
  void assign_fractions(const Column& fpc);
  void check_weights();
  void settle_lonely();
  void count_degrees_of_freedom();
};

}  // namespace steelyard
