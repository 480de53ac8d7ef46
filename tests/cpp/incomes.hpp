#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "samples.hpp"

namespace steelyard::testing {

/// The influences of a small sample's rows on an estimator that computes them.
inline Values influences(const Estimator& estimator, Eigen::Index rows,
                         const Domains& domains = {}) {
  RowMatrix buffer = RowMatrix::Zero(1, rows);
  std::vector<const double*> read;
  estimator.read(domains.block(0, rows), buffer, read);
  return {read.front(), read.front() + rows};
}

/// An estimator's value in a domain, as far as it does not depend on sums.
inline double known_value(const Estimator& estimator, Eigen::Index domain = 0) {
  return estimator
      .linearise({Eigen::VectorXd::Ones(estimator.features()),
                  Eigen::VectorXd::Zero(estimator.width()), domain})
      .value[0];
}

/// Equal to `relative` of the larger of both.
inline void expect_close(double a, double b, double relative = 1e-12) {
  EXPECT_NEAR(a, b, relative * std::max(std::abs(a), std::abs(b)));
}

/// A sample of incomes: ties, missing answers, rows that weigh nothing.
struct Incomes {
  Sample sample;
  Values y;
  Codes domain;
};

inline Incomes random_incomes(Eigen::Index rows, std::uint64_t seed) {
  Random random(seed);
  Incomes incomes;
  Labels domain;
  incomes.sample.rows = rows;
  for (Eigen::Index row = 0; row < rows; ++row) {
    incomes.sample.units.push_back(static_cast<std::int32_t>(row % 11));
    incomes.sample.weights.push_back(random.uniform() < 0.05 ? 0 : random.uniform(1, 30));
    const double income = std::round(20 * std::exp(random.normal()));
    incomes.y.push_back(random.uniform() < 0.1 ? kNaN : income);
    domain.push_back(random.uniform() < 0.1 ? Codes::kNone : random.below(3));
  }
  incomes.domain = Codes(std::move(domain), 3);
  return incomes;
}

/// The same with each row cut into two of half the weight, in the same unit.
inline Incomes cut_in_two(const Incomes& incomes) {
  Incomes result;
  Labels domain;
  result.sample.rows = 2 * incomes.sample.rows;
  for (Eigen::Index row = 0; row < result.sample.rows; ++row) {
    const auto at = static_cast<std::size_t>(row % incomes.sample.rows);
    result.sample.units.push_back(incomes.sample.units[at]);
    result.sample.weights.push_back(incomes.sample.weights[at] / 2);
    result.y.push_back(incomes.y[at]);
    domain.push_back(incomes.domain[static_cast<Eigen::Index>(at)]);
  }
  result.domain = Codes(std::move(domain), 3);
  return result;
}

inline Incomes reversed(Incomes incomes) {
  Labels domain(incomes.domain.data(), incomes.domain.data() + incomes.domain.size());
  std::reverse(domain.begin(), domain.end());
  std::reverse(incomes.sample.units.begin(), incomes.sample.units.end());
  std::reverse(incomes.sample.weights.begin(), incomes.sample.weights.end());
  std::reverse(incomes.y.begin(), incomes.y.end());
  incomes.domain = Codes(std::move(domain), 3);
  return incomes;
}

/// Rows of other domains weigh nothing.
inline Sample only(const Incomes& incomes, std::int32_t domain) {
  Sample sample = incomes.sample;
  for (Eigen::Index row = 0; row < sample.rows; ++row) {
    if (incomes.domain[row] != domain) {
      sample.weights[static_cast<std::size_t>(row)] = 0;
    }
  }
  return sample;
}

}  // namespace steelyard::testing
