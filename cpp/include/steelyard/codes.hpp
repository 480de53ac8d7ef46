#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/error.hpp"

namespace steelyard {

/// A categorical column: one dense code a row, 0 ... levels - 1, or kNone where there is none.
///
/// Cheap to copy: copies share the codes.
class Codes {
 public:
  static constexpr std::int32_t kNone = -1;

  Codes() = default;
  /// @throws std::out_of_range when a code lies outside [kNone, levels).
  Codes(std::vector<std::int32_t> codes, std::int32_t levels);

  Eigen::Index size() const { return values_ ? static_cast<Eigen::Index>(values_->size()) : 0; }
  std::int32_t levels() const { return levels_; }
  const std::int32_t* data() const { return values_ ? values_->data() : nullptr; }
  std::int32_t operator[](Eigen::Index row) const {
    return (*values_)[static_cast<std::size_t>(row)];
  }
  /// Rows of each level.
  std::vector<std::int64_t> counts() const;

 private:
  std::shared_ptr<const std::vector<std::int32_t>> values_;
  std::int32_t levels_ = 0;
};

/// The same rows under other codes.
/// @param to the new code of each level, or kNone.
Codes recoded(const Codes& codes, std::span<const std::int32_t> to, std::int32_t levels);

/// Codes of a column of numbers, and its distinct values in ascending order. NaN has no code.
struct Factor {
  Codes codes;
  Eigen::VectorXd values;
};
/// @throws std::out_of_range for 64-bit whole numbers of 2^53 and beyond, which double does not
///         tell apart.
Factor factorize(const Column& column);

/// The combinations of several categorical columns that occur, coded in order of the first column,
/// then the second, and so on. A row with any code missing, or where `keep` is zero, has none.
struct Crossing {
  Codes codes;
  /// combinations x columns: the code of each column.
  Eigen::Matrix<std::int32_t, Eigen::Dynamic, Eigen::Dynamic> combinations;
  /// Rows kept that have no group because a code is missing.
  Offence ungrouped;
};
/// @param keep one byte a row, or empty for all rows.
Crossing cross(std::span<const Codes> columns, std::span<const std::uint8_t> keep,
               Eigen::Index rows);

}  // namespace steelyard
