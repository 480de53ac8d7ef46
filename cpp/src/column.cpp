#include "steelyard/column.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "steelyard/parallel.hpp"

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

Offence Column::rows_where(bool (*bad)(double)) const {
  Offence offence;
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < size(); begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, size() - begin);
    const double* values = read(begin, count, buffer.data());
    for (Eigen::Index i = 0; i < count; ++i) {
      if (bad(values[i])) {
        offence.add(begin + i);
      }
    }
  }
  return offence;
}

void Column::refuse(InvalidColumn::Problem problem, bool (*bad)(double)) const {
  const Offence offence = rows_where(bad);
  if (offence.count > 0) {
    throw InvalidColumn(name(), problem, offence);
  }
}

double Column::operator[](Eigen::Index row) const {
  double buffer = 0;
  return *read(row, 1, &buffer);
}

}  // namespace steelyard
