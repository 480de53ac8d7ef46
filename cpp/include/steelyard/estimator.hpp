#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"

namespace steelyard {

/// What an estimator needs of a domain: weighted sums of the features of its rows.
///
/// Features of an estimator of columns: 1, y_1 - centre_1, ..., y_q - centre_q. Features of an
/// estimator of levels: one indicator a level.
struct DomainSums {
  Eigen::VectorXd features;
  Eigen::VectorXd centre;
};

/// A value and how it responds to the sums it is made of.
struct Linearisation {
  Eigen::VectorXd value;
  /// estimates x features: a row's influence on estimate j is weight * gradient.row(j) * features.
  Eigen::MatrixXd gradient;
};

/// An estimator as an influence function: a smooth function of weighted sums over rows.
///
/// Nothing else in the library knows which estimators exist. A row enters when all that the
/// estimator reads of it is present.
///
/// Reference: Deville (1999), Variance estimation for complex statistics and estimators:
/// linearization and residual techniques, Survey Methodology 25(2).
class Estimator {
 public:
  virtual ~Estimator() = default;

  /// Columns whose weighted sums are needed; empty for an estimator of levels.
  const std::vector<Column>& columns() const { return columns_; }
  /// Levels whose weights are needed; empty for an estimator of columns.
  const Codes& levels() const { return levels_; }
  bool of_levels() const { return of_levels_; }
  /// Features of a row.
  Eigen::Index features() const {
    return of_levels() ? levels_.levels() : 1 + static_cast<Eigen::Index>(columns_.size());
  }

  /// Estimates in each domain.
  virtual Eigen::Index estimates() const { return 1; }
  /// Is it unchanged when all weights are multiplied by a constant (a mean, not a total)?
  virtual bool is_ratio() const = 0;
  /// NaN values, and gradients of zero, where they are not defined: the domain has no weight.
  virtual Linearisation linearise(const DomainSums& sums) const = 0;

 protected:
  explicit Estimator(std::vector<Column> columns) : columns_(std::move(columns)) {}
  explicit Estimator(Codes levels) : levels_(std::move(levels)), of_levels_(true) {}

 private:
  std::vector<Column> columns_;
  Codes levels_;
  bool of_levels_ = false;
};

/// Columns that one estimator may read.
inline constexpr Eigen::Index kMostColumns = 8;

using EstimatorPtr = std::shared_ptr<const Estimator>;

/// Sum of w y.
EstimatorPtr total(Column y);
/// Sum of w y over sum of w (Hájek).
EstimatorPtr mean(Column y);
/// Sum of w y over sum of w x.
EstimatorPtr ratio(Column y, Column x);

/// Sets of levels: sets x levels, nonzero where the level belongs to the set.
using LevelSets = Eigen::MatrixXd;
/// Sum of w over the rows whose level is in each set.
EstimatorPtr count(Codes levels, LevelSets sets);
/// The same, over the sum of w in all levels.
EstimatorPtr proportion(Codes levels, LevelSets sets);

}  // namespace steelyard
