#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>

#include "steelyard/error.hpp"

namespace steelyard {

/// A read-only view of one column of numbers, in the type it is stored in.
///
/// Floating NaN means a missing answer. Rows are read in blocks, so that no converted copy of the
/// whole column ever exists.
class Column {
 public:
  enum class Type { kFloat64, kFloat32, kInt64, kInt32, kInt16, kInt8, kUInt8 };

  Column() = default;
  /// @param owner keeps the memory behind `data` alive; may be null when the caller does.
  Column(std::string name, Type type, const void* data, Eigen::Index size,
         std::shared_ptr<const void> owner = nullptr);

  const std::string& name() const { return name_; }
  Type type() const { return type_; }
  Eigen::Index size() const { return size_; }

  /// Rows [begin, begin + count) as double: the stored memory itself where it is double already,
  /// `buffer` (room for `count` values) otherwise.
  const double* read(Eigen::Index begin, Eigen::Index count, double* buffer) const;

  /// Rows whose value is `bad`.
  Offence rows_where(bool (*bad)(double)) const;
  /// @throws InvalidColumn with this problem when a value is `bad`.
  void refuse(InvalidColumn::Problem problem, bool (*bad)(double)) const;

  /// One value. For loops over few rows only.
  double operator[](Eigen::Index row) const;

 private:
  std::string name_;
  Type type_ = Type::kFloat64;
  const void* data_ = nullptr;
  Eigen::Index size_ = 0;
  std::shared_ptr<const void> owner_;
};

}  // namespace steelyard
