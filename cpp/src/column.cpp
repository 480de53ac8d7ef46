#include "steelyard/column.hpp"

#include <utility>

namespace steelyard {
namespace {

template <typename T>
const double* convert(const void* data, Eigen::Index begin, Eigen::Index count, double* buffer) {
  const T* values = static_cast<const T*>(data) + begin;
  for (Eigen::Index i = 0; i < count; ++i) {
    buffer[i] = static_cast<double>(values[i]);
  }
  return buffer;
}

}  // namespace

Column::Column(std::string name, Type type, const void* data, Eigen::Index size,
               std::shared_ptr<const void> owner)
    : name_(std::move(name)), type_(type), data_(data), size_(size), owner_(std::move(owner)) {}

const double* Column::read(Eigen::Index begin, Eigen::Index count, double* buffer) const {
  switch (type_) {
    case Type::kFloat64:
      return static_cast<const double*>(data_) + begin;
    case Type::kFloat32:
      return convert<float>(data_, begin, count, buffer);
    case Type::kInt64:
      return convert<std::int64_t>(data_, begin, count, buffer);
    case Type::kInt32:
      return convert<std::int32_t>(data_, begin, count, buffer);
    case Type::kInt16:
      return convert<std::int16_t>(data_, begin, count, buffer);
    case Type::kInt8:
      return convert<std::int8_t>(data_, begin, count, buffer);
    case Type::kUInt8:
      return convert<std::uint8_t>(data_, begin, count, buffer);
  }
  return buffer;
}

double Column::operator[](Eigen::Index row) const {
  double buffer = 0;
  return *read(row, 1, &buffer);
}

}  // namespace steelyard
