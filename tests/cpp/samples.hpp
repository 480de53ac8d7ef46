#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/estimate.hpp"

namespace steelyard::testing {

/// For samples that are not compared with others.
inline const SampleKeys kSample{1};

using Values = std::vector<double>;
using Labels = std::vector<std::int32_t>;

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A column that keeps its values.
inline Column column(Values values, std::string name = "y") {
  const auto kept = std::make_shared<const Values>(std::move(values));
  return {std::move(name), Column::Type::kFloat64, kept->data(),
          static_cast<Eigen::Index>(kept->size()), kept};
}

/// Codes with as many levels as the largest code needs.
inline Codes codes(Labels labels) {
  const auto largest = std::max_element(labels.begin(), labels.end());
  const std::int32_t levels = largest == labels.end() ? 0 : *largest + 1;
  return {std::move(labels), levels};
}

/// A sample as an analyst would describe it. Empty: not given.
struct Sample {
  Eigen::Index rows = 0;
  Values weights = {};
  Labels strata = {};
  Labels units = {};
  Values fpc = {};
  Lonely lonely = Lonely::kFail;

  Design design() const {
    const auto optional = [](const Values& values, const char* name) {
      return values.empty() ? Column() : column(values, name);
    };
    return Design::stratified(rows, optional(weights, "weight"), codes(strata), codes(units),
                              optional(fpc, "fpc"), lonely);
  }
  double weight(Eigen::Index row) const {
    return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(row)];
  }
};

/// One estimator for all rows; unless `kept` says so, the deviations of all units.
inline Estimated estimate_all(const Design& design, const std::vector<EstimatorPtr>& estimators,
                              int threads = 1, Eigen::Index kept = kKeptDeviations) {
  return estimate(design, kSample, {}, estimators, threads, kept);
}

inline double se(const Estimated& estimated, Eigen::Index i = 0) {
  return estimated.estimates.standard_errors()[i];
}

/// Lohr (2010), Sampling: Design and Analysis, 2nd ed., example 5.2: grade point averages in
/// 5 of 100 suites of 4.
inline Values grade_point_averages() {
  return {3.08, 2.60, 3.44, 3.04, 2.36, 3.04, 3.28, 2.68, 2.00, 2.56,
          2.52, 1.88, 3.00, 2.88, 3.44, 3.64, 2.68, 1.92, 3.28, 3.20};
}
inline Sample suites() {
  Sample sample{.rows = 20, .weights = Values(20, 20.0), .fpc = Values(20, 5.0 / 100.0)};
  for (std::int32_t row = 0; row < 20; ++row) {
    sample.units.push_back(row / 4);
  }
  return sample;
}

/// Stata, Survey Data Reference Manual, data set fpc: units sampled from two strata of 15 and 12.
/// The values are single precision, as in Stata.
inline Values fpc_values() {
  Values result;
  for (const float x : {2.8F, 4.1F, 6.8F, 6.8F, 9.2F, 3.7F, 6.6F, 4.2F}) {
    result.push_back(static_cast<double>(x));
  }
  return result;
}
inline Sample fpc_sample() {
  return {.rows = 8,
          .weights = {3, 3, 3, 3, 3, 4, 4, 4},
          .strata = {0, 0, 0, 0, 0, 1, 1, 1},
          .fpc = {15, 15, 15, 15, 15, 12, 12, 12}};
}

/// Numbers that are the same with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Mean 0, variance 1, nearly normal.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) {
      sum += uniform();
    }
    return sum;
  }
  std::int32_t below(std::int32_t bound) { return static_cast<std::int32_t>(uniform(0, bound)); }

 private:
  std::mt19937_64 engine_;
};

/// A survey with all that may go wrong in one: missing answers, rows in no domain, zero weights.
struct Survey {
  Sample sample;
  Values y;
  Values x;
  Codes domain;
  Codes answer;
};

/// @param clusters in each stratum; 0: every row is a unit.
inline Survey random_survey(Eigen::Index rows, std::int32_t strata, std::int32_t clusters,
                            std::uint64_t seed) {
  constexpr std::int32_t kDomains = 3;
  constexpr std::int32_t kAnswers = 4;
  Random random(seed);
  Survey survey;
  Labels domain;
  Labels answer;
  survey.sample.rows = rows;
  for (Eigen::Index row = 0; row < rows; ++row) {
    const auto h = static_cast<std::int32_t>(row % strata);
    survey.sample.strata.push_back(h);
    if (clusters > 0) {
      survey.sample.units.push_back(h * clusters + random.below(clusters));
    }
    survey.sample.weights.push_back(random.uniform() < 0.02 ? 0 : random.uniform(1, 30));
    survey.sample.fpc.push_back(0.05 * (h + 1));
    survey.y.push_back(random.uniform() < 0.1 ? kNaN : 10 * h + random.normal());
    survey.x.push_back(random.uniform() < 0.1 ? kNaN : random.uniform(1, 3));
    domain.push_back(random.uniform() < 0.1 ? Codes::kNone : random.below(kDomains));
    answer.push_back(random.uniform() < 0.1 ? Codes::kNone : random.below(kAnswers));
  }
  survey.domain = Codes(std::move(domain), kDomains);
  survey.answer = Codes(std::move(answer), kAnswers);
  return survey;
}

/// Every kind of estimator there is: nine estimates a domain.
inline std::vector<EstimatorPtr> all_estimators(const Survey& survey) {
  LevelSets sets(3, 4);
  sets << 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1;
  return {mean(column(survey.y)), total(column(survey.y)),
          ratio(column(survey.y), column(survey.x, "x")), count(survey.answer, sets),
          proportion(survey.answer, sets)};
}

/// Equal to the last bit; NaN equals NaN.
template <typename Matrix>
bool same_bits(const Matrix& a, const Matrix& b) {
  const auto first = a.reshaped();  // iterators of a row-major matrix point to it
  const auto second = b.reshaped();
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::equal(first.begin(), first.end(), second.begin(), [](double x, double y) {
           return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
         });
}

}  // namespace steelyard::testing
