#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/replicate.hpp"
#include "steelyard/stage.hpp"
#include "steelyard/variance_form.hpp"

namespace steelyard {

class ProjectionChain;
class Weighting;

/// A stratified sample in any number of stages, seen as a linear map.
///
/// Takes totals of influence values by unit of the last stage and returns deviations D such that
/// the covariance of the estimates is D^T D: one row a unit of the first stage, and below them one
/// row a unit of each further stage, scaled by the sampling fractions above it. Knows nothing of
/// estimators. Stages below one that was sampled with replacement add nothing, and are left out.
///
/// Reference: Särndal, Swensson & Wretman (1992), sections 3.7 and 4.3 (result 4.3.1); Lumley
/// (2010), appendix A.
class Design {
 public:
  struct Options {
    Lonely lonely = Lonely::kFail;
    /// The same for a stratum of which one unit has rows in a domain; none: the design as it is.
    std::optional<Lonely> lonely_domain = std::nullopt;
    Selection selection = Selection::kEqual;
  };

  /// @param weights population elements that a row stands for; an empty column: the inverse of
  ///                the product of the sampling fractions, or 1.
  /// @param stages  from the first stage down, at least one. fpc: units in the population of the
  ///                row's stratum (all values >= 1 and >= n_h), or sampling fractions (all <= 1).
  /// @throws InvalidColumn for weights that are NaN, negative, infinite or all zero, and for
  ///         missing strata, units or fpc.
  /// @throws DesignError for a unit in two strata, an inconsistent fpc, or a lonely stratum.
  static Design sampled(Eigen::Index rows, Column weights, std::span<const Stage::Columns> stages,
                        const Options& options);
  /// One stage of units drawn with equal probabilities.
  static Design stratified(Eigen::Index rows, Column weights, Codes strata, Codes units, Column fpc,
                           Lonely lonely);

  /// One stage whose variance is a quadratic form in its units' totals, as where they were drawn
  /// with unequal probabilities; of `stage` only the strata and units count.
  /// @param degrees_of_freedom if not given, units minus strata.
  static Design with_form(Eigen::Index rows, Column weights, const Stage::Columns& stage,
                          VarianceForm form,
                          std::optional<double> degrees_of_freedom = std::nullopt);

  /// The same sample with weights that a chain of steps makes of the design's. Linearised errors,
  /// and replicates, account for every step.
  /// @throws std::invalid_argument where the chain starts from other weights, and for a design that
  ///         has replicates or a weighting.
  Design with_weighting(const Weighting& weighting) const;
  /// Null: the weights are those of the design.
  const ProjectionChain* weighting() const { return weighting_.get(); }

  /// The same sample with replicates, whose spread takes the place of linearisation.
  /// @param degrees_of_freedom if not given: of factors, those of the design, and one less than the
  ///                           replicates at most; of columns, those of their rank.
  /// @throws std::invalid_argument for replicates of another number of units or rows.
  Design with_replicates(Replicates replicates,
                         std::optional<double> degrees_of_freedom = std::nullopt) const;
  /// The sample under the weights of one replicate, without replicates of its own.
  Design under_replicate(Eigen::Index r) const;
  /// Weights of rows [begin, begin + count) under all replicates: at least count x replicates.
  void read_replicates(Eigen::Index begin, Eigen::Index count, Eigen::Ref<RowMatrix> into) const;
  /// Null: none.
  const Replicates* replicates() const { return replicates_.get(); }

  Eigen::Index rows() const { return rows_; }
  std::span<const Stage> stages() const { return stages_; }
  const Stage& first() const { return stages_.front(); }
  const Options& options() const { return options_; }
  /// Does a stratum's part of the variance depend on which of its units have rows in a domain?
  bool treats_domains() const { return options_.lonely_domain.has_value() || averages_lonely_; }

  /// Units of the last stage, by which rows are summed.
  Eigen::Index units() const { return stages_.back().units(); }
  bool rows_are_units() const { return unit_of_row_.size() == 0; }
  /// Unit of each row, or null where rows are units.
  const std::int32_t* unit_of_row() const { return unit_of_row_.data(); }
  /// The unit of the first stage that a unit belongs to.
  std::int32_t primary_of_unit(Eigen::Index unit) const {
    return stages_.size() == 1 ? static_cast<std::int32_t>(unit)
                               : primary_of_unit_[static_cast<std::size_t>(unit)];
  }

  /// Strata of the first stage.
  Eigen::Index strata() const { return first().strata(); }
  const Stratum& stratum(Eigen::Index h) const { return first().stratum(h); }
  std::int32_t stratum_of_unit(Eigen::Index unit) const {
    return first().stratum_of_unit(primary_of_unit(unit));
  }

  /// Units of the first stage minus strata, counting those with a positive weight; of the next
  /// stage where all units of the first were certain, one to a stratum.
  double degrees_of_freedom() const { return degrees_of_freedom_; }
  /// Does the unit of the first stage count for them: has it a positive weight?
  bool unit_counts(Eigen::Index primary) const {
    return unit_counts_[static_cast<std::size_t>(primary)];
  }

  /// Weights of rows [begin, begin + count); see Column::read.
  const double* weights(Eigen::Index begin, Eigen::Index count, double* buffer) const;

  /// Sampling fraction of each row's unit at a stage, counted from 0.
  /// @throws std::out_of_range where there is no such stage.
  Eigen::VectorXd row_fractions(std::size_t stage) const;
  /// Each row's unit at a stage.
  /// @throws std::out_of_range where there is no such stage.
  std::vector<std::int32_t> row_units(std::size_t stage) const;

  /// Is the variance a quadratic form, whose deviations are not those of single units?
  bool has_form() const { return form_ != nullptr; }
  const Eigen::VectorXd& signs() const;
  /// Rows of deviations: units of all stages, or the rank of the quadratic form, or replicates.
  Eigen::Index deviations() const;
  /// First-stage stratum of each row of deviations.
  std::int32_t stratum_of_deviation(Eigen::Index row) const {
    return stages_.size() == 1 ? first().stratum_of_unit(row)
                               : stratum_of_deviation_[static_cast<std::size_t>(row)];
  }
  /// @param totals units x estimates.
  RowMatrix deviate(RowMatrix totals) const;
  /// The transposed map, from multipliers of deviations to those of unit totals.
  /// @param multipliers deviations x any number.
  RowMatrix transpose(RowMatrix multipliers) const;

  /// Totals by unit of each stage, from the first down.
  RowMatrix sum_by_stage(const RowMatrix& totals) const;

 private:
  Eigen::Index rows_ = 0;
  Options options_;
  Column weights_;
  std::vector<double> unit_weight_;  // where no weights were given but fractions were
  std::vector<Stage> stages_;
  Codes unit_of_row_;
  std::vector<std::int32_t> primary_of_unit_;
  std::vector<std::int32_t> stratum_of_deviation_;
  std::vector<bool> unit_counts_;
  double degrees_of_freedom_ = 0;
  bool averages_lonely_ = false;
  std::shared_ptr<const VarianceForm> form_;
  std::shared_ptr<const Replicates> replicates_;
  std::shared_ptr<const ProjectionChain> weighting_;

  Eigen::MatrixXd products_of_replicates() const;
  Replicates replayed(const Replicates& replicates) const;
  Eigen::Index units_of_all_stages() const;
  void check_weights() const;
  void assign_stages(std::span<const Stage::Columns> stages);
  void trace_units();
  void count_degrees_of_freedom();
  std::int64_t units_minus_strata(std::size_t s) const;
};

}  // namespace steelyard
