#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// Weights that the sample might have had. Estimates by them spread as those of other samples
/// would.
///
/// Made here, they are factors of the weights of units: units x replicates, never rows x
/// replicates. Supplied with the data, they are columns, read as they are stored. Row r of the
/// deviations is sqrt(scale_r) (theta_r - centre), with theta_r the estimates under replicate r.
///
/// Reference: Wolter (2007), Introduction to Variance Estimation, chapters 3 to 5.
class Replicates {
 public:
  /// What the spread says.
  struct Rule {
    Eigen::VectorXd scales;       ///< of the squared distance of each replicate's estimate
    bool about_estimate = false;  ///< from the estimate itself ("mse"); else from their mean
  };

  /// @param factors of the weights: units of the last stage x replicates.
  /// @throws std::invalid_argument for scales that are negative or of another number.
  static Replicates of_units(RowMatrix factors, Rule rule);
  /// @param columns  one a replicate, a value a row.
  /// @param combined whether these are weights; else factors of the sample's weights.
  /// @throws InvalidColumn for values that are not finite, and for columns of different lengths.
  static Replicates of_rows(std::vector<Column> columns, bool combined, Rule rule);

  /// Weights that a chain of steps made of those of other replicates. One of which a weight is not
  /// a number is undefined: under it no estimate has a value.
  static Replicates replayed(std::vector<Column> columns, Rule rule);

  const Rule& rule() const { return rule_; }
  bool is_defined(Eigen::Index r) const {
    return undefined_.empty() || !undefined_[static_cast<std::size_t>(r)];
  }
  Eigen::Index count() const { return rule_.scales.size(); }
  double scale(Eigen::Index r) const { return rule_.scales[r]; }
  bool about_estimate() const { return rule_.about_estimate; }
  bool by_unit() const { return columns_.empty(); }
  /// Units, or rows, that there are weights for.
  Eigen::Index size() const { return by_unit() ? factors_.rows() : columns_.front().size(); }
  /// Units x replicates, where made by unit.
  const RowMatrix& factors() const { return factors_; }

  /// Weights of consecutive rows under all replicates.
  /// @param weight      of the sample, of each row.
  /// @param unit_of_row of the first of them on; null where rows are units.
  /// @param into        at least count x replicates.
  void read(Eigen::Index begin, Eigen::Index count, const double* weight,
            const std::int32_t* unit_of_row, Eigen::Ref<RowMatrix> into) const;
  /// The same under one of them.
  void read_one(Eigen::Index r, Eigen::Index begin, Eigen::Index count, const double* weight,
                const std::int32_t* unit_of_row, double* into) const;

 private:
  RowMatrix factors_;
  std::vector<Column> columns_;
  std::vector<bool> undefined_;
  bool combined_ = false;
  Rule rule_;
};

/// One less than the rank of the weights of all replicates: R survey's degrees of freedom.
/// @param products replicates x replicates: sums over rows of the products of weights.
double rank_degrees_of_freedom(const Eigen::MatrixXd& products);

}  // namespace steelyard
