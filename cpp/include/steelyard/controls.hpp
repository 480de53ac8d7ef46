#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// The auxiliary variables of a calibration: x of each row, whose totals are to be met.
///
/// Margins come first, each as the indicators of its levels, then columns. With groups, every group
/// has totals of its own.
class Controls {
 public:
  Controls() = default;
  /// @param margins a row without a level in one counts in none of its levels.
  /// @param groups  empty: all rows are one; a row without a group has no controls.
  /// @throws std::invalid_argument where lengths differ, or there are no controls.
  Controls(std::vector<Codes> margins, std::vector<Column> columns, Codes groups = Codes());

  Eigen::Index rows() const { return rows_; }
  /// Controls of a group.
  Eigen::Index width() const { return width_; }
  Eigen::Index groups() const { return groups_.size() == 0 ? 1 : groups_.levels(); }
  std::int32_t group(Eigen::Index row) const { return groups_.size() == 0 ? 0 : groups_[row]; }
  const std::vector<Codes>& margins() const { return margins_; }
  bool of_margins() const { return columns_.empty(); }

  /// x of rows [begin, begin + count): into the first `count` rows of a matrix.
  void read(Eigen::Index begin, Eigen::Index count, RowMatrix& into) const;

  /// x of one row, into a row of a matrix.
  void read_row(Eigen::Index row, Eigen::Index at, RowMatrix& into) const;

  /// Sums over rows of factor * x, by group: groups x controls.
  RowMatrix totals(const Eigen::VectorXd& factor, int threads = 0) const;
  /// Sums over rows of factor * x x^T, by group; lower triangles.
  std::vector<Eigen::MatrixXd> products(const Eigen::VectorXd& factor, int threads = 0) const;
  /// x b of every row, with the b of its group: groups x controls.
  Eigen::VectorXd scores(const RowMatrix& b, int threads = 0) const;

 private:
  std::vector<Codes> margins_;
  std::vector<Column> columns_;
  Codes groups_;
  Eigen::Index rows_ = 0;
  Eigen::Index width_ = 0;

  std::vector<Eigen::Index> levels(Eigen::Index row) const;
  void add_products(Eigen::Index row, double factor, Eigen::MatrixXd& sum) const;
};

/// Rows that share their controls, as one: what is computed for one of them holds for all.
struct Cells {
  Codes of_row;  ///< the cell of each row; empty: every row is one
  Controls controls;

  Eigen::Index count() const { return controls.rows(); }
  Eigen::Index cell(Eigen::Index row) const { return of_row.size() == 0 ? row : of_row[row]; }
  /// Sums of a value of each row by cell.
  Eigen::VectorXd sums(const Eigen::VectorXd& of_rows) const;
};

/// Where there are only margins, their combinations that occur; else each row.
Cells cells_of(const Controls& controls);

/// Clusters whose rows all take the controls of their weighted mean: the same for all of them.
/// Reference: Lemaître & Dufour (1987), An integrated method for weighting persons and families,
/// Survey Methodology 13(2).
Cells cells_of_clusters(const Controls& controls, const Codes& clusters,
                        const Eigen::VectorXd& weights);

}  // namespace steelyard
