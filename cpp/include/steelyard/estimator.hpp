#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

class Design;
struct Domains;

/// What an estimator needs of a domain: weighted sums of the features of its rows.
///
/// Features of an estimator of columns: 1, y_1 - centre_1, ..., y_q - centre_q. Features of an
/// estimator of levels: one indicator a level.
struct DomainSums {
  Eigen::VectorXd features;
  Eigen::VectorXd centre;
  Eigen::Index domain = 0;
};

/// Consecutive rows, and the domain of each.
struct RowBlock {
  Eigen::Index begin = 0;
  Eigen::Index count = 0;
  const std::int32_t* domain = nullptr;  ///< of the block's first row; null: all rows in domain 0

  std::int32_t domain_of(Eigen::Index i) const { return domain == nullptr ? 0 : domain[i]; }
};

/// A value and how it responds to the sums it is made of.
struct Linearisation {
  Eigen::VectorXd value;
  /// estimates x features: a row's influence on estimate j is weight * gradient.row(j) * features.
  Eigen::MatrixXd gradient;
};

/// An estimator as an influence function: a smooth function of weighted sums over rows.
///
/// What is summed are columns as they are stored, columns computed from a row and from values known
/// beforehand (a residual times a regressor, the square of a distance from the mean), or levels.
/// Nothing else in the library knows which estimators exist. A row enters when all that the
/// estimator reads of it is present.
///
/// Reference: Deville (1999), Variance estimation for complex statistics and estimators:
/// linearization and residual techniques, Survey Methodology 25(2).
class Estimator {
 public:
  virtual ~Estimator() = default;

  /// Columns that it reads; empty for an estimator of levels.
  const std::vector<Column>& columns() const { return columns_; }
  /// Columns whose weighted sums are needed: those it reads, or those it computes.
  Eigen::Index width() const { return width_; }
  /// Does it compute the columns that are summed? Those are taken as they are, not centred.
  bool computes() const { return computes_; }
  /// Levels whose weights are needed; empty for an estimator of columns.
  const Codes& levels() const { return levels_; }
  bool of_levels() const { return of_levels_; }
  /// Features of a row.
  Eigen::Index features() const { return of_levels() ? levels_.levels() : 1 + width_; }
  /// The columns to be summed, in a block of rows; NaN where the row has no answer.
  /// @param buffer width x at least rows.count.
  /// @param into   where each column's values are: in the buffer, or where they are stored.
  virtual void read(const RowBlock& rows, RowMatrix& buffer,
                    std::vector<const double*>& into) const;

  /// Estimates in each domain.
  virtual Eigen::Index estimates() const { return 1; }
  /// Is it unchanged when all weights are multiplied by a constant (a mean, not a total)?
  virtual bool is_ratio() const = 0;
  /// NaN values, and gradients of zero, where they are not defined: the domain has no weight.
  virtual Linearisation linearise(const DomainSums& sums) const = 0;

  /// The estimates from the sums under other weights: by `linearise`, where they are a function of
  /// the sums.
  /// @param whole the sums under the weights that it was made for.
  virtual Eigen::VectorXd replicate(const DomainSums& sums, const DomainSums& whole) const;
  /// Must it be made anew under other weights, since sums do not tell its estimates?
  virtual bool needs_refit() const { return false; }
  /// If so, its estimates in every domain (domains x estimates) under the weights of a design; NaN
  /// where they are not defined.
  virtual RowMatrix refit(const Design& design, const Domains& domains) const;

 protected:
  explicit Estimator(std::vector<Column> columns)
      : columns_(std::move(columns)), width_(static_cast<Eigen::Index>(columns_.size())) {}
  explicit Estimator(Codes levels) : levels_(std::move(levels)), of_levels_(true) {}
  /// An estimator that computes `width` columns: it overrides `read`.
  Estimator(std::vector<Column> columns, Eigen::Index width)
      : columns_(std::move(columns)), width_(width), computes_(true) {}

 private:
  std::vector<Column> columns_;
  Codes levels_;
  Eigen::Index width_ = 0;
  bool of_levels_ = false;
  bool computes_ = false;
};

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
