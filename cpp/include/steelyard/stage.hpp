#pragma once

#include <Eigen/Core>
#include <algorithm>
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

/// Units of one stage, sampled within a stratum.
struct Stratum {
  std::int64_t units = 0;   ///< units sampled, n_h
  double fraction = 0;      ///< units sampled over units in the population, f_h
  bool lonely = false;      ///< one unit, and not the whole population
  std::int32_t family = 0;  ///< unit of the stage above that the stratum lies in
};

/// How the units of a stage were drawn within their strata.
enum class Selection {
  kEqual,   ///< with equal probabilities
  kBrewer,  ///< with unequal ones, without replacement: each unit has its own fraction
};

/// One stage of selection: a linear map from totals of its units to their deviations.
///
/// At a further stage, strata lie within units of the stage above.
/// Reference: Särndal, Swensson & Wretman (1992), sections 3.7 and 4.3.
class Stage {
 public:
  /// One value a row of the sample.
  struct Columns {
    Codes strata;  ///< empty: one stratum, or at a further stage one in each unit above
    Codes units;   ///< empty: every row is a unit
    Column fpc;    ///< units in the population of the row's stratum, or fractions; may be empty
  };
  struct Options {
    Lonely lonely = Lonely::kFail;
    Selection selection = Selection::kEqual;
    int number = 0;  ///< counted from 0, for messages
  };

  /// The first stage.
  Stage(const Columns& columns, Eigen::Index rows, const Options& options);
  /// A further stage, within the units of the one above.
  /// @param above_of_row unit of the stage above of each row.
  Stage(const Columns& columns, const Stage& above, const Codes& above_of_row,
        const Options& options);

  Eigen::Index units() const { return units_; }
  Eigen::Index strata() const { return static_cast<Eigen::Index>(stratum_.size()); }
  const Stratum& stratum(Eigen::Index h) const { return stratum_[static_cast<std::size_t>(h)]; }
  std::int32_t stratum_of_unit(Eigen::Index unit) const {
    return strata() == 1 ? 0 : stratum_of_unit_[unit];
  }
  /// Unit of the stage above of each unit; empty at the first stage.
  const Codes& above() const { return above_; }
  bool has_fpc() const { return has_fpc_; }
  bool has_lonely() const {
    return std::any_of(stratum_.begin(), stratum_.end(), [](const Stratum& s) { return s.lonely; });
  }
  const Options& options() const { return options_; }

  /// Sampling fraction of a unit within its stratum.
  double fraction(Eigen::Index unit) const;
  /// The same over all stages down to this one: the share of the population that the unit's
  /// sampling decided on. 1: the unit was certain to be in the sample.
  double share(Eigen::Index unit) const;
  /// The same down to the stage above.
  double share_above(Eigen::Index unit) const {
    return above_.size() == 0 ? 1 : share_above_[static_cast<std::size_t>(above_[unit])];
  }

  /// Factor of a unit's squared distance from its stratum's mean: (1 - f) n_h / (n_h - 1), by the
  /// policy of the stratum, times the share of the unit above.
  double scale(Eigen::Index unit) const;
  /// The same of the first stage's strata, where the units of each have one.
  double stratum_scale(Eigen::Index h) const { return scale_of(h, stratum(h).fraction); }
  /// By how much kAverage raises the variance of the strata that are not lonely in a family.
  double inflation(Eigen::Index h) const;

  /// Turns unit totals into deviations, in place: sqrt(scale) * (z_hi - mean_h).
  void deviate(Eigen::Ref<RowMatrix> totals) const;
  /// The transposed map, in place: from multipliers of deviations to those of unit totals.
  void transpose(Eigen::Ref<RowMatrix> multipliers) const;

 private:
  Eigen::Index units_ = 0;
  Codes above_;
  std::vector<double> share_above_;  // by unit above; empty at the first stage
  Codes stratum_of_unit_;
  std::vector<Stratum> stratum_;
  std::vector<double> fraction_of_unit_;  // where units have their own
  std::vector<double> inflation_;         // by family, where lonely strata are averaged
  Options options_;
  bool has_fpc_ = false;

  double scale_of(Eigen::Index h, double fraction) const;
  void assign_units(const Columns& columns, Eigen::Index rows);
  void assign_strata(const Columns& columns, Eigen::Index rows);
  void assign_fractions(const Columns& columns);
  void settle_lonely();
};

}  // namespace steelyard
