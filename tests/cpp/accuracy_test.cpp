// Numerical care, against the two-pass textbook formula in quadruple precision: standard errors to
// 1e-9, by unit and accumulated, where naive sums of squares lose every digit.
#include <gtest/gtest.h>

#include <cmath>

#include "samples.hpp"
#include "steelyard/estimate.hpp"
#include "textbook.hpp"

namespace steelyard::testing {
namespace {

constexpr double kTolerance = 1e-9;
constexpr Eigen::Index kAll = Eigen::Index{1} << 40;

/// Both ways to the covariance, and the textbook's.
void expect_accurate(const Sample& sample, const EstimatorPtr& estimator,
                     const textbook::Figure& figure) {
  const double expected = textbook::se(sample, figure);
  ASSERT_GT(expected, 0);
  for (const Eigen::Index kept : {Eigen::Index{0}, kAll}) {
    const Estimated result = estimate_all(sample.design(), {estimator}, 1, kept);
    EXPECT_NEAR(result.estimates.values[0] / figure.value, 1, 1e-12);
    EXPECT_NEAR(se(result) / expected, 1, kTolerance) << "kept " << kept;
  }
}

void expect_accurate_mean(const Sample& sample, const Values& y) {
  const auto used = textbook::used_rows(sample.rows, {&y});
  expect_accurate(sample, mean(column(y)), textbook::mean(sample, y, used));
}

void expect_accurate_total(const Sample& sample, const Values& y) {
  const auto used = textbook::used_rows(sample.rows, {&y});
  expect_accurate(sample, total(column(y)), textbook::total(sample, y, used));
}

/// `rows` in strata and clusters of equal size, or rows as units.
Sample balanced(std::int32_t rows, std::int32_t strata, std::int32_t clusters, double weight) {
  Sample sample{.rows = rows, .weights = Values(static_cast<std::size_t>(rows), weight)};
  for (std::int32_t row = 0; row < rows; ++row) {
    sample.strata.push_back(row % strata);
    sample.fpc.push_back(0.1 * (row % strata + 1));
    if (clusters > 0) {
      sample.units.push_back(row % (strata * clusters));
    }
  }
  return sample;
}

Values normal_values(std::int32_t rows, double centre, std::uint64_t seed) {
  Random random(seed);
  Values y;
  for (std::int32_t row = 0; row < rows; ++row) {
    y.push_back(centre + random.normal());
  }
  return y;
}

TEST(Accuracy, OfValuesFarFromZero) {
  for (const std::int32_t clusters : {0, 25}) {
    const Sample sample = balanced(6000, 3, clusters, 3.7);
    for (const double centre : {1e6, 1e12}) {
      const Values y = normal_values(6000, centre, 41);
      expect_accurate_mean(sample, y);
      expect_accurate_total(sample, y);
    }
  }
}

TEST(Accuracy, OfMeansWithUnequalWeightsFarFromZero) {
  for (const std::int32_t clusters : {0, 25}) {
    Sample sample = balanced(6000, 3, clusters, 1);
    Random random(42);
    for (double& weight : sample.weights) {
      weight = random.uniform(1, 50);
    }
    expect_accurate_mean(sample, normal_values(6000, 1e12, 43));
  }
}

TEST(Accuracy, OfWeightsOfManyMagnitudes) {
  for (const std::int32_t clusters : {0, 40}) {
    Sample sample = balanced(8000, 2, clusters, 1);
    Random random(44);
    Values x;
    for (double& weight : sample.weights) {
      weight = std::pow(10, random.uniform(-6, 9));
      x.push_back(random.uniform(1, 3));
    }
    const Values y = normal_values(8000, 100, 45);
    expect_accurate_mean(sample, y);
    expect_accurate_total(sample, y);
    const auto used = textbook::used_rows(sample.rows, {&y, &x});
    expect_accurate(sample, ratio(column(y), column(x, "x")), textbook::ratio(sample, y, x, used));
  }
}

TEST(Accuracy, OfAMillionRowsInOneCluster) {
  constexpr std::int32_t kRows = 1'000'000;
  Sample sample{.rows = kRows + 300};
  for (std::int32_t row = 0; row < kRows + 300; ++row) {
    sample.units.push_back(row < kRows ? 0 : 1 + row % 3);
    sample.weights.push_back(row < kRows ? 1.1 : 5000.3);
  }
  const Values y = normal_values(kRows + 300, 50, 46);
  expect_accurate_mean(sample, y);
  expect_accurate_total(sample, y);
}

TEST(Accuracy, OfStrataFarApart) {
  for (const std::int32_t clusters : {0, 25}) {
    const Sample sample = balanced(6000, 4, clusters, 2.3);
    Values y = normal_values(6000, 5, 47);
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] += 1e9 * sample.strata[i];
    }
    expect_accurate_mean(sample, y);
    expect_accurate_total(sample, y);
  }
}

// Textbook variance of a mean under simple random sampling of the domain's rows.
double simple_random_variance_of_mean(const Values& y) {
  textbook::Wide sum = 0;
  for (const double v : y) {
    sum += static_cast<textbook::Wide>(v);
  }
  const auto n = static_cast<textbook::Wide>(static_cast<double>(y.size()));
  textbook::Wide squares = 0;
  for (const double v : y) {
    const textbook::Wide d = static_cast<textbook::Wide>(v) - sum / n;
    squares += d * d;
  }
  return static_cast<double>(squares / (n - 1) / n);
}

/// Domain 0 has values that `wild` makes, domain 1 values near `centre` with variance 1: neither
/// error nor design effect of the second may suffer from the first.
template <typename Wild>
void expect_domain_accurate(double centre, const Wild& wild) {
  constexpr std::int32_t kRows = 4000;
  for (const std::int32_t clusters : {0, 25}) {
    Sample sample = balanced(kRows, 1, clusters, 1);
    sample.fpc.clear();
    Values y = normal_values(kRows, centre, 48);
    Values calm;
    Labels domain;
    for (std::int32_t row = 0; row < kRows; ++row) {
      domain.push_back(row / (kRows / 2));
      double& value = y[static_cast<std::size_t>(row)];
      if (domain.back() == 0) {
        value = wild(row);
      } else {
        calm.push_back(value);
      }
    }
    const Codes domains = codes(domain);
    const auto used = textbook::used_rows(kRows, {&y}, &domains, 1);
    const double expected = textbook::se(sample, textbook::mean(sample, y, used));
    for (const Eigen::Index kept : {Eigen::Index{0}, kAll}) {
      const Estimated result =
          estimate(sample.design(), kSample, {domains}, std::vector{mean(column(y))}, 1, kept);
      EXPECT_NEAR(se(result, 1) / expected, 1, kTolerance) << clusters << ", kept " << kept;
      const double srs = simple_random_variance_of_mean(calm);
      EXPECT_NEAR(result.deff_replace[1] * srs / (expected * expected), 1, kTolerance)
          << clusters << ", kept " << kept;
    }
  }
}

TEST(Accuracy, OfADomainBesideOneOfAnotherScale) {
  expect_domain_accurate(1e8, [](std::int32_t row) { return 1e7 * (row % 5); });
}

TEST(Accuracy, OfADomainBesideOneWithAnOutlier) {
  expect_domain_accurate(3, [](std::int32_t row) { return row == 0 ? 1e9 : row % 5; });
}

}  // namespace
}  // namespace steelyard::testing
