#include "steelyard/column.hpp"

#include <gtest/gtest.h>

#include <array>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

template <typename T, Column::Type kType>
void expect_converted(const std::array<T, 4>& stored) {
  const Column values("answer", kType, stored.data(), 4);
  std::array<double, 2> buffer{};
  const double* read = values.read(1, 2, buffer.data());
  EXPECT_EQ(read, buffer.data());
  EXPECT_EQ(buffer[0], static_cast<double>(stored[1]));
  EXPECT_EQ(buffer[1], static_cast<double>(stored[2]));
  EXPECT_EQ(values[3], static_cast<double>(stored[3]));
}

TEST(Column, ReadsEveryTypeAsDouble) {
  expect_converted<float, Column::Type::kFloat32>({1.5F, -0.1F, 3e38F, 0});
  expect_converted<std::int64_t, Column::Type::kInt64>({0, -1, 9007199254740991, 5});
  expect_converted<std::int32_t, Column::Type::kInt32>({0, -2147483647 - 1, 2147483647, 5});
  expect_converted<std::int16_t, Column::Type::kInt16>({0, -32768, 32767, 5});
  expect_converted<std::int8_t, Column::Type::kInt8>({0, -128, 127, 5});
  expect_converted<std::uint8_t, Column::Type::kUInt8>({0, 255, 128, 5});
}

TEST(Column, ReadsDoublesWhereTheyAre) {
  const Values stored = {1, 2, 3};
  const Column values("y", Column::Type::kFloat64, stored.data(), 3);
  EXPECT_EQ(values.read(1, 2, nullptr), stored.data() + 1);
  EXPECT_EQ(values[2], 3);
}

TEST(Column, ReadsAMissingSinglePrecisionAnswerAsMissing) {
  const float stored = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Column("y", Column::Type::kFloat32, &stored, 1)[0]));
}

TEST(Column, KnowsItsNameAndSize) {
  EXPECT_EQ(column({1, 2}, "hours").name(), "hours");
  EXPECT_EQ(column({1, 2}).size(), 2);
  EXPECT_EQ(Column().size(), 0);
}

TEST(Column, KeepsItsMemoryAlive) {
  auto stored = std::make_shared<const Values>(Values{4, 5});
  const std::weak_ptr<const Values> watch = stored;
  {
    const Column values("y", Column::Type::kFloat64, stored->data(), 2, stored);
    stored.reset();
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(values[1], 5);
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace steelyard::testing
