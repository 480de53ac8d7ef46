#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// The columns of a regression, made a block of rows at a time: the whole matrix never exists.
///
/// A column is a product of factors: none for the intercept, one for a variable or an indicator,
/// several for an interaction or a power.
class ModelMatrix {
 public:
  /// A column of numbers, or the value that each level of a categorical column takes.
  struct Factor {
    Column numbers;                  ///< empty where codes are given
    Codes codes;                     ///< kNone: missing
    Eigen::VectorXd value_of_level;  ///< one a level of `codes`
  };
  struct Product {
    std::string name;
    std::vector<int> factors;  ///< which factors, each as often as it is multiplied
  };

  /// @throws InvalidColumn     for a factor of another length than `rows`.
  /// @throws std::invalid_argument for another number of values than levels.
  /// @throws std::out_of_range for a product of factors that do not exist.
  ModelMatrix(Eigen::Index rows, std::vector<Factor> factors, std::vector<Product> columns);

  Eigen::Index rows() const { return rows_; }
  Eigen::Index columns() const { return static_cast<Eigen::Index>(columns_.size()); }
  Eigen::Index factors() const { return static_cast<Eigen::Index>(factors_.size()); }
  const std::string& name(Eigen::Index column) const {
    return columns_[static_cast<std::size_t>(column)].name;
  }
  /// The stored columns of numbers among the factors.
  std::vector<Column> numbers() const;

  /// Leading columns that add up to 1 in every row: 1 where the intercept comes first, the levels
  /// of a full set of indicators that comes first, 0 otherwise.
  Eigen::Index constant() const { return constant_; }

  /// Rows [begin, begin + count); NaN where a factor of the column is missing. Each factor is read
  /// once, however many columns it stands in.
  /// @param into columns x at least count.
  void read(Eigen::Index begin, Eigen::Index count, RowMatrix& into) const;
  /// Derivatives of the columns by one factor; as `read`.
  void read_slopes(int factor, Eigen::Index begin, Eigen::Index count, RowMatrix& into) const;

  /// The same matrix with a factor that has one value in every row.
  /// @throws std::out_of_range when there is no such factor.
  ModelMatrix with(int factor, double value) const;

 private:
  Eigen::Index rows_;
  std::vector<Factor> factors_;
  std::vector<Product> columns_;
  std::vector<std::optional<double>> fixed_;
  Eigen::Index constant_ = 0;

  std::vector<const double*> read_factors(Eigen::Index begin, Eigen::Index count,
                                          RowMatrix& buffer) const;
  Eigen::Index count_constant() const;
  void check(const Factor& factor) const;
  void check(int factor) const;
};

}  // namespace steelyard
