#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace steelyard {

/// Random numbers that are the same on every machine: the SplitMix64 sequence of a seed and a
/// stream.
///
/// Reference: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, OOPSLA.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream)
      : state_(scrambled(scrambled(seed) + kStep * (stream + 1))) {}

  std::uint64_t next() {
    state_ += kStep;
    return scrambled(state_);
  }

  /// A number from 0 to below 1, of 2^53 that are equally likely.
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  /// A standard normal number. Reference: Marsaglia & Bray (1964), SIAM Review 6(3).
  double normal() {
    double u = 0;
    double square = 0;
    do {
      u = 2 * uniform() - 1;
      const double v = 2 * uniform() - 1;
      square = u * u + v * v;
    } while (square >= 1 || square == 0);
    return u * std::sqrt(-2 * std::log(square) / square);
  }

  /// A whole number from 0 to size - 1, each as likely. Reference: Lemire (2019), ACM Transactions
  /// on Modeling and Computer Simulation 29(1).
  Eigen::Index below(Eigen::Index size) {
    const auto bound = static_cast<std::uint64_t>(size);
    const std::uint64_t smallest = (std::uint64_t{1} << 32U) % bound;
    std::uint64_t product = 0;
    do {
      product = (next() >> 32U) * bound;
    } while ((product & 0xffffffffU) < smallest);
    return static_cast<Eigen::Index>(product >> 32U);
  }

  /// Brings the first `count` of some values to be a random sample of them, in random order.
  template <typename Value>
  void choose(std::vector<Value>& values, Eigen::Index count) {
    const auto size = static_cast<Eigen::Index>(values.size());
    for (Eigen::Index i = 0; i < count; ++i) {
      const auto other = static_cast<std::size_t>(i + below(size - i));
      std::swap(values[static_cast<std::size_t>(i)], values[other]);
    }
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;

  static std::uint64_t scrambled(std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31U);
  }

  std::uint64_t state_;
};

}  // namespace steelyard
