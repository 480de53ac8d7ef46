#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/model_matrix.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// The columns that a model relates: regressors, a response of numbers or of ordered categories,
/// and what is added to the linear predictor.
struct ModelData {
  ModelMatrix matrix;
  Column response;  ///< empty where categories are given
  Codes categories;
  Column offset;  ///< empty: 0

  /// All columns of numbers.
  std::vector<Column> columns() const;
};

/// Where the rows of a model come from. Refers to what it is made of.
struct ModelSample {
  const ModelData& data;
  const Design& design;
  const Domains& domains;  ///< one domain
  int threads = 0;

  /// @throws InvalidColumn for columns of another length than the design's rows.
  /// @throws std::invalid_argument for more than one domain.
  void check() const;
};

/// Consecutive rows of a model.
struct ModelBlock {
  Eigen::Index count = 0;
  RowMatrix x;  ///< columns of the matrix x at least count
  Eigen::ArrayXd response;
  Eigen::ArrayXd offset;
  Eigen::ArrayXd weight;
  std::vector<std::int64_t> row;  ///< where each stands in the sample
  std::int64_t missing = 0;       ///< rows left out because a value is missing
  double missing_weight = 0;

  /// Rows as they are, NaN where a value is missing; without weights.
  void read(const ModelData& data, Eigen::Index begin, Eigen::Index rows);
  /// The rows among these that are in the domain, have a positive weight and are complete.
  /// @throws InvalidColumn for an infinite value in them.
  void read_used(const ModelSample& sample, Eigen::Index begin, Eigen::Index rows);

 private:
  void keep(const std::vector<Eigen::Index>& which);
};

/// Sums over all rows used, in fixed segments that are added in order: the same bits for any number
/// of threads.
/// @param zero  where each segment begins; has `merge`.
/// @param cells numbers that every segment keeps.
/// @param add   adds a block to the sums of a segment.
template <typename Sums, typename Add>
Sums sum_blocks(const ModelSample& sample, const Sums& zero, Eigen::Index cells, const Add& add) {
  const Eigen::Index rows = sample.design.rows();
  const Eigen::Index segments = segment_count(rows, cells);
  std::vector<Sums> parts(static_cast<std::size_t>(segments), zero);
  parallel_for(segments, sample.threads, [&](Eigen::Index s) {
    ModelBlock block;
    Sums sums = zero;
    const Eigen::Index end = rows * (s + 1) / segments;
    for (Eigen::Index row = rows * s / segments; row < end; row += kBlockRows) {
      block.read_used(sample, row, std::min(kBlockRows, end - row));
      add(block, sums);
    }
    parts[static_cast<std::size_t>(s)] = std::move(sums);
  });
  for (std::size_t s = 1; s < parts.size(); ++s) {
    parts.front().merge(parts[s]);
  }
  return std::move(parts.front());
}

}  // namespace steelyard
