#include "steelyard/quantile_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

using Index = Eigen::Index;
using Problem = InvalidColumn::Problem;

constexpr double kRounding = 0x1p-49;

/// For rules that are continuous in p: no digits are worth telling such positions apart.
bool equal(double a, double b) { return std::abs(a - b) <= kRounding * std::max(a, b); }

template <typename Predicate>
void refuse(const char* name, Problem problem, const std::vector<double>& column,
            const Predicate& is_wrong) {
  Offence offence;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (is_wrong(column[row])) {
      offence.add(static_cast<std::int64_t>(row));
    }
  }
  if (offence.count > 0) {
    throw InvalidColumn(name, problem, offence);
  }
}

void check(const std::vector<double>& values, const std::vector<double>& weights) {
  const auto excess =
      static_cast<std::int64_t>(weights.size()) - static_cast<std::int64_t>(values.size());
  if (excess != 0) {
    throw InvalidColumn("weight", Problem::kWrongLength, {std::abs(excess), {}});
  }
  for (const auto& [name, column] : {std::pair{"value", &values}, std::pair{"weight", &weights}}) {
    refuse(name, Problem::kNaN, *column, [](double x) { return std::isnan(x); });
    refuse(name, Problem::kInfinite, *column, [](double x) { return std::isinf(x); });
  }
  refuse("weight", Problem::kNegative, weights, [](double w) { return w < 0; });
  if (std::none_of(weights.begin(), weights.end(), [](double w) { return w > 0; })) {
    refuse("weight", Problem::kAllZero, weights, [](double) { return true; });
    throw InvalidColumn("weight", Problem::kAllZero, {});  // there are no rows at all
  }
}

struct Observation {
  double value;
  double weight;
};

/// Ascending in value. Equal values stay in the order of the rows, as in R's order().
std::vector<Observation> sorted(const std::vector<double>& values,
                                const std::vector<double>& weights) {
  std::vector<Observation> observations;
  observations.reserve(values.size());
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (weights[row] > 0) {
      observations.push_back({values[row], weights[row]});
    }
  }
  std::stable_sort(observations.begin(), observations.end(),
                   [](const Observation& a, const Observation& b) { return a.value < b.value; });
  return observations;
}

/// A sum carried to twice the precision of double.
/// Reference: Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B.
class ExactSum {
 public:
  void add(double x) {
    const double sum = high_ + x;
    const double of_x = sum - high_;
    low_ += (high_ - (sum - of_x)) + (x - of_x);
    high_ = sum;
  }
  double rounded() const { return high_ + low_; }
  /// What rounding leaves out.
  double remainder() const { return (high_ - rounded()) + low_; }

 private:
  double high_ = 0;
  double low_ = 0;
};

/// First k in [0, n) from which `holds` is true, n where there is none.
template <typename Predicate>
Index first_where(Index n, const Predicate& holds) {
  Index low = 0;
  Index high = n;
  while (low < high) {
    const Index middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

constexpr std::array<NamedQuantileRule, 19> kNames = {{
    {"math", QuantileRule::kMath},
    {"school", QuantileRule::kSchool},
    {"shahvaish", QuantileRule::kShahVaish},
    {"hf1", QuantileRule::kHf1},
    {"hf2", QuantileRule::kHf2},
    {"hf3", QuantileRule::kHf3},
    {"hf4", QuantileRule::kHf4},
    {"hf5", QuantileRule::kHf5},
    {"hf6", QuantileRule::kHf6},
    {"hf7", QuantileRule::kHf7},
    {"hf8", QuantileRule::kHf8},
    {"hf9", QuantileRule::kHf9},
    {"sas1", QuantileRule::kSas1},
    {"sas2", QuantileRule::kSas2},
    {"sas3", QuantileRule::kSas3},
    {"sas4", QuantileRule::kSas4},
    {"sas5", QuantileRule::kSas5},
    {"surveymeans", QuantileRule::kSurveymeans},
    {"stata", QuantileRule::kStata},
}};

}  // namespace

std::span<const NamedQuantileRule> named_quantile_rules() { return kNames; }

QuantileRule quantile_rule(std::string_view name) {
  std::string names;
  for (const NamedQuantileRule& known : kNames) {
    if (known.name == name) {
      return known.rule;
    }
    names += (names.empty() ? "'" : ", '") + std::string(known.name) + "'";
  }
  throw std::invalid_argument("there is no quantile rule '" + std::string(name) +
                              "': choose one of " + names);
}

WeightedSample::WeightedSample(std::vector<double> values, std::vector<double> weights) {
  check(values, weights);
  const std::vector<Observation> observations = sorted(values, weights);
  values_ = std::move(values);  // their memory serves for the sorted ones
  cumulative_ = std::move(weights);
  values_.resize(observations.size());
  cumulative_.resize(observations.size());
  remainder_.resize(observations.size());
  ExactSum sum;
  for (std::size_t k = 0; k < observations.size(); ++k) {
    sum.add(observations[k].weight);
    values_[k] = observations[k].value;
    cumulative_[k] = sum.rounded();
    remainder_[k] = sum.remainder();
  }
  if (!std::isfinite(total_weight())) {
    throw std::overflow_error("the sum of weights exceeds the range of double: rescale them");
  }
}

double WeightedSample::cdf(double x) const {
  if (std::isnan(x)) {
    throw std::invalid_argument("the distribution function is not defined at NaN");
  }
  const auto above = std::upper_bound(values_.begin(), values_.end(), x);
  return through(above - values_.begin() - 1) / total_weight();
}

double WeightedSample::quantile(double p, QuantileRule rule) const {
  if (!(p >= 0 && p <= 1)) {
    throw std::invalid_argument("a quantile is taken at a p between 0 and 1");
  }
  if (p == 0 || p == 1) {
    return p == 0 ? values_.front() : values_.back();
  }
  switch (rule) {
    case QuantileRule::kHf1:
      return step(p, false);
    case QuantileRule::kHf2:
      return step(p, true);
    case QuantileRule::kHf3:
      return even_step(p);
    case QuantileRule::kHf4:
      return linear(p, 0, 0);
    case QuantileRule::kHf5:
      return linear(p, 1.0 / 2, 0);
    case QuantileRule::kHf6:
      return linear(p, 0, 1);
    case QuantileRule::kHf7:
      return linear(p, 1, -1);
    case QuantileRule::kHf8:
      return linear(p, 1.0 / 3, 1.0 / 3);
    case QuantileRule::kHf9:
      return linear(p, 3.0 / 8, 1.0 / 4);
    case QuantileRule::kShahVaish:
      return shah_vaish(p);
    case QuantileRule::kSurveymeans:
      return linear_over_distinct(p);
    case QuantileRule::kSas2:
      return nearest(p);
  }
  throw std::invalid_argument("unknown quantile rule");
}

/// C_k - p W, its sign exact: both are held to twice the precision of double.
double WeightedSample::excess(Index k, double p) const {
  const auto at = static_cast<std::size_t>(k);
  const double product = p * total_weight();
  const double left_out = std::fma(p, total_weight(), -product) + p * remainder_.back();
  return (cumulative_[at] - product) + (remainder_[at] - left_out);
}

/// First k with C_k >= p W.
Index WeightedSample::first_reaching(double p) const {
  return first_where(size() - 1, [&](Index k) { return excess(k, p) >= 0; });
}

Index WeightedSample::last_equal_to(Index k) const {
  return std::upper_bound(values_.begin() + k, values_.end(), value(k)) - values_.begin() - 1;
}

double WeightedSample::step(double p, bool average) const {
  const Index k = first_reaching(p);
  if (average && k + 1 < size() && excess(k, p) == 0) {
    return std::midpoint(value(k), value(k + 1));
  }
  return value(k);
}

double WeightedSample::even_step(double p) const {
  const Index k = last_equal_to(first_reaching(p));
  if (k + 1 == size() || excess(k, p) != 0) {
    return value(k);
  }
  Index rank = 1;
  for (Index i = 1; i <= k; ++i) {
    rank += value(i) > value(i - 1) ? 1 : 0;
  }
  return value(rank % 2 == 0 ? k : k + 1);
}

double WeightedSample::nearest(double p) const {
  const double target = p * total_weight();
  const Index k = first_reaching(p);
  if (k == 0 || excess(k, p) == 0) {
    return value(k);
  }
  const double halfway = std::midpoint(through(k - 1), through(k));
  const bool lower = equal(target, halfway) ? k % 2 == 0 : target < halfway;
  return value(lower ? k - 1 : k);
}

/// Observation k stands at before * C_(k-1) + (1 - before) * C_k, of W + last * w_n in all.
double WeightedSample::linear(double p, double before, double last) const {
  const Index n = size();
  const double target = p * (total_weight() + last * (total_weight() - through(n - 2)));
  const auto position = [&](Index k) {
    return before * through(k - 1) + (1 - before) * through(k);
  };
  const Index k =
      first_where(n, [&](Index i) { return position(i) >= target || equal(position(i), target); });
  if (k == n) {
    return values_.back();
  }
  if (k == 0 || equal(position(k), target)) {
    return value(k);
  }
  const double below = position(k - 1);
  return std::lerp(value(k - 1), value(k), (target - below) / (position(k) - below));
}

double WeightedSample::linear_over_distinct(double p) const {
  const double target = p * total_weight();
  const Index k = last_equal_to(first_reaching(p));
  const Index below =
      std::lower_bound(values_.begin(), values_.begin() + k, value(k)) - values_.begin() - 1;
  if (below < 0 || equal(through(k), target)) {
    return value(k);
  }
  const double share = (target - through(below)) / (through(k) - through(below));
  return std::lerp(value(below), value(k), share);
}

/// Times W / n: the weights of Shah & Vaish sum to n. R survey 4.1 takes w_k itself from such sums,
/// which is their rule only where the mean weight is 1.
double WeightedSample::shah_vaish(double p) const {
  const auto n = static_cast<double>(size());
  const double half = total_weight() / (2 * n);
  const double target = p * (n + 1) * (total_weight() / n);
  const Index above = first_where(size(), [&](Index k) {
    const double position = std::midpoint(through(k - 1), through(k)) + half;
    return position > target && !equal(position, target);
  });
  return value(std::max<Index>(0, above - 1));
}

}  // namespace steelyard
