#include "steelyard/deviations.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

namespace steelyard {
namespace {

/// Sets of strata that turned out to be one, as a forest.
class Merges {
 public:
  explicit Merges(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  /// The smaller index names the set.
  void merge(std::size_t a, std::size_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) {
      i = parent_[i] = parent_[parent_[i]];
    }
    return i;
  }

 private:
  std::vector<std::size_t> parent_;
};

using Positions = std::unordered_map<std::uint64_t, std::size_t>;

Positions positions(const std::vector<std::uint64_t>& keys) {
  Positions result;
  for (const std::uint64_t key : keys) {
    result.try_emplace(key, result.size());
  }
  return result;
}

/// Row of each unit of `second` in `first`, or -1.
std::vector<Eigen::Index> matches(const Deviations& first, const Deviations& second) {
  std::unordered_map<std::uint64_t, Eigen::Index> row;
  for (std::size_t i = 0; i < first.units.size(); ++i) {
    row.emplace(first.units[i], static_cast<Eigen::Index>(i));
  }
  std::vector<Eigen::Index> result;
  result.reserve(second.units.size());
  for (const std::uint64_t unit : second.units) {
    const auto found = row.find(unit);
    result.push_back(found == row.end() ? -1 : found->second);
  }
  return result;
}

/// The strata of two sets of units as those of their union: one where they share a unit that
/// counts, apart where they do not, whatever their names.
class JointStrata {
 public:
  JointStrata(const Deviations& first, const Deviations& second,
              const std::vector<Eigen::Index>& match)
      : first_(positions(first.strata)),
        second_(positions(second.strata)),
        merges_(first_.size() + second_.size()),
        names_(first_.size() + second_.size()) {
    for (const auto& [key, position] : first_) {
      names_[position] = key;
    }
    for (const auto& [key, position] : second_) {
      const bool taken = first_.count(key) > 0;
      names_[first_.size() + position] =
          taken ? mix(key, second.samples.empty() ? 0 : second.samples.front()) : key;
    }
    for (std::size_t i = 0; i < match.size(); ++i) {
      // Units of further stages say nothing of how those of the first were sampled.
      if (match[i] >= 0 &&
          (second.counted[i] != 0 || first.counted[static_cast<std::size_t>(match[i])] != 0)) {
        const std::size_t a = first_.at(first.strata[static_cast<std::size_t>(match[i])]);
        merges_.merge(a, second_.at(second.strata[i]) + first_.size());
      }
    }
  }

  std::uint64_t of_first(std::uint64_t key) { return names_[merges_.root(first_.at(key))]; }
  std::uint64_t of_second(std::uint64_t key) {
    return names_[merges_.root(second_.at(key) + first_.size())];
  }

 private:
  Positions first_;
  Positions second_;
  Merges merges_;
  std::vector<std::uint64_t> names_;
};

/// Units minus strata, of those that count.
double degrees_of_freedom(const Deviations& deviations) {
  std::unordered_set<std::uint64_t> strata;
  double units = 0;
  for (std::size_t i = 0; i < deviations.units.size(); ++i) {
    if (deviations.counted[i] != 0) {
      ++units;
      strata.insert(deviations.strata[i]);
    }
  }
  return units - static_cast<double>(strata.size());
}

void join_signs(const Deviations& first, const Deviations& second,
                const std::vector<Eigen::Index>& match, Deviations& result) {
  if (first.signs.size() == 0 && second.signs.size() == 0) {
    return;
  }
  result.signs = Eigen::VectorXd::Ones(result.matrix.rows());
  result.signs.head(first.signs.size()) = first.signs;
  Eigen::Index next = first.matrix.rows();
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] < 0) {
      const auto own = static_cast<Eigen::Index>(i);
      result.signs[next++] = second.signs.size() == 0 ? 1 : second.signs[own];
    }
  }
}

void join_names(const Deviations& first, const Deviations& second,
                const std::vector<Eigen::Index>& match, Deviations& result) {
  if (first.named.empty() && second.named.empty()) {
    return;
  }
  result.named = first.named;
  result.named.resize(first.units.size(), first.named.empty() ? 1 : 0);
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] < 0) {
      result.named.push_back(second.named.empty() ? 1 : second.named[i]);
    }
  }
}

void join_fractions(const Deviations& first, const Deviations& second,
                    const std::vector<Eigen::Index>& match, Deviations& result) {
  if (first.fractions.empty() && second.fractions.empty()) {
    return;
  }
  result.fractions = first.fractions;
  result.fractions.resize(first.units.size(), 0.0);
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] < 0) {
      result.fractions.push_back(second.fractions.empty() ? 0.0 : second.fractions[i]);
    }
  }
}

/// Units of two samples in strata that are one where they share a unit.
struct StratumCounts {
  double first = 0;
  double second = 0;
  double both = 0;
};

/// What is left of the covariance of units in both samples once that of chance is taken out.
double beyond_chance(const StratumCounts& n, double f1, double f2) {
  const double by_chance = std::sqrt(f1 * f2 * n.first * n.second);
  const double kept = 1 - by_chance / n.both;
  const double aligned = std::sqrt((1 - f1) * (1 - f2));
  return aligned > 0 ? std::clamp(kept / aligned, 0.0, 1.0) : 1.0;
}

bool share_a_sample(const Deviations& first, const Deviations& second) {
  return std::any_of(first.samples.begin(), first.samples.end(), [&](std::uint64_t sample) {
    return std::find(second.samples.begin(), second.samples.end(), sample) != second.samples.end();
  });
}

/// Has an estimate of variance a standard error? One that came out negative has none.
bool has_root(double variance) { return std::isfinite(variance) && variance >= 0; }

/// R with R^T R = covariance, by Cholesky's method on the correlations, the largest pivot first.
/// Ends where what is left is rounding: a proportion covaries perfectly with its complement.
RowMatrix pivoted_root(const Eigen::MatrixXd& covariance) {
  constexpr double kRounding = 1e-13;
  const Eigen::VectorXd deviation = covariance.diagonal().cwiseMax(0.0).cwiseSqrt();
  const Eigen::VectorXd inverse = deviation.unaryExpr([](double s) { return s > 0 ? 1 / s : 0.0; });
  Eigen::MatrixXd left = inverse.asDiagonal() * covariance * inverse.asDiagonal();
  RowMatrix root = RowMatrix::Zero(covariance.rows(), covariance.cols());
  Eigen::Index rank = 0;
  Eigen::Index pivot = 0;
  while (rank < root.rows() && left.diagonal().maxCoeff(&pivot) > kRounding) {
    root.row(rank) = left.row(pivot) / std::sqrt(left(pivot, pivot));
    left.noalias() -= root.row(rank).transpose() * root.row(rank);
    left.row(pivot).setZero();
    left.col(pivot).setZero();
    ++rank;
  }
  return root.topRows(rank) * deviation.asDiagonal();
}

}  // namespace

void check(const Deviations& deviations) {
  const Eigen::Index rows = deviations.matrix.rows();
  const auto is_of_rows = [&](std::size_t size) { return static_cast<Eigen::Index>(size) == rows; };
  if (!is_of_rows(deviations.units.size()) || !is_of_rows(deviations.strata.size()) ||
      !is_of_rows(deviations.counted.size()) ||
      !(deviations.named.empty() || is_of_rows(deviations.named.size())) ||
      !(deviations.fractions.empty() || is_of_rows(deviations.fractions.size())) ||
      (deviations.signs.size() != 0 && deviations.signs.size() != rows)) {
    throw std::invalid_argument("deviations have a unit, a stratum and a count for every row");
  }
}

std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
  state ^= value + 0x9e3779b97f4a7c15ULL + (state << 6U) + (state >> 2U);
  state ^= state >> 30U;
  state *= 0xbf58476d1ce4e5b9ULL;
  state ^= state >> 27U;
  state *= 0x94d049bb133111ebULL;
  return state ^ (state >> 31U);
}

Eigen::MatrixXd Deviations::covariance() const {
  if (signs.size() == 0) {
    return matrix.transpose() * matrix;
  }
  return matrix.transpose() * signs.asDiagonal() * matrix;
}

Eigen::VectorXd Deviations::variances() const {
  if (signs.size() == 0) {
    return matrix.colwise().squaredNorm().transpose();
  }
  return matrix.cwiseAbs2().transpose() * signs;
}

Deviations square_root(const Eigen::MatrixXd& covariance, double degrees_of_freedom,
                       std::uint64_t identity, std::uint64_t sample) {
  Deviations result;
  Eigen::MatrixXd known = covariance;
  for (Eigen::Index i = 0; i < known.cols(); ++i) {
    if (!has_root(covariance(i, i))) {
      known.row(i).setZero();
      known.col(i).setZero();
    }
  }
  const RowMatrix root = pivoted_root(known);
  // A row of nothing, so that there is one where nothing varies.
  result.matrix = RowMatrix::Zero(root.rows() + 1, covariance.cols());
  result.matrix.topRows(root.rows()) = root;
  for (Eigen::Index i = 0; i < known.cols(); ++i) {
    if (!has_root(covariance(i, i))) {
      result.matrix.col(i).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  }
  for (Eigen::Index row = 0; row < result.matrix.rows(); ++row) {
    result.units.push_back(mix(identity, static_cast<std::uint64_t>(row)));
  }
  result.strata.assign(result.units.size(), identity);
  result.counted.assign(result.units.size(), 1);
  result.samples = {sample};
  result.degrees_of_freedom = degrees_of_freedom;
  result.by_unit = false;
  return result;
}

Deviations known_errors(const Eigen::MatrixXd& covariance, std::uint64_t identity) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Deviations result = square_root(covariance, kInfinity, identity, identity);
  result.counted.assign(result.units.size(), 0);
  result.samples.clear();
  result.by_unit = true;
  return result;
}

Deviations apart(Deviations deviations, std::uint64_t salt) {
  for (auto* keys : {&deviations.units, &deviations.strata, &deviations.samples}) {
    for (std::uint64_t& key : *keys) {
      key = mix(salt, key);
    }
  }
  return deviations;
}

Deviations without_chance(const Deviations& first, const Deviations& second) {
  constexpr double kRounding = 1e-9;
  const std::vector<Eigen::Index> match = matches(first, second);
  if (first.fractions.empty() || second.fractions.empty()) {
    return second;
  }
  JointStrata strata(first, second, match);
  std::unordered_map<std::uint64_t, StratumCounts> counts;
  for (std::size_t i = 0; i < first.units.size(); ++i) {
    counts[strata.of_first(first.strata[i])].first += first.counted[i] != 0 ? 1 : 0;
  }
  for (std::size_t i = 0; i < match.size(); ++i) {
    StratumCounts& n = counts[strata.of_second(second.strata[i])];
    n.second += second.counted[i] != 0 ? 1 : 0;
    n.both += match[i] >= 0 && second.counted[i] != 0 ? 1 : 0;
  }
  Deviations result = second;
  std::vector<Eigen::Index> split;
  std::vector<double> rest;
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] < 0 || second.counted[i] == 0) {
      continue;
    }
    const StratumCounts& n = counts[strata.of_second(second.strata[i])];
    const double f1 = first.fractions[static_cast<std::size_t>(match[i])];
    const double kept = beyond_chance(n, f1, second.fractions[i]);
    if (kept < 1 - kRounding) {
      split.push_back(static_cast<Eigen::Index>(i));
      rest.push_back(std::sqrt(1 - kept * kept));
      result.matrix.row(split.back()) *= kept;
    }
  }
  if (split.empty()) {
    return second;
  }
  const Eigen::Index rows = result.matrix.rows();
  result.matrix.conservativeResize(rows + static_cast<Eigen::Index>(split.size()), Eigen::NoChange);
  const std::uint64_t own = second.samples.empty() ? 0 : second.samples.front();
  for (std::size_t k = 0; k < split.size(); ++k) {
    const auto at = static_cast<std::size_t>(split[k]);
    result.matrix.row(rows + static_cast<Eigen::Index>(k)) = rest[k] * second.matrix.row(split[k]);
    result.units.push_back(mix(second.units[at], ~own));
    result.strata.push_back(second.strata[at]);
    result.counted.push_back(0);
    result.fractions.push_back(second.fractions[at]);
  }
  if (!result.named.empty()) {
    result.named.resize(result.units.size(), 0);
  }
  if (result.signs.size() > 0) {
    const Eigen::VectorXd signs = second.signs(split);
    result.signs.conservativeResize(result.matrix.rows());
    result.signs.tail(signs.size()) = signs;
  }
  return result;
}

Deviations without_unnamed(const Deviations& deviations, std::uint64_t identity) {
  const std::uint64_t sample = deviations.samples.empty() ? identity : deviations.samples.front();
  std::vector<Eigen::Index> kept;
  std::vector<Eigen::Index> left;
  bool counts = false;
  for (std::size_t i = 0; i < deviations.named.size(); ++i) {
    const bool has_name = deviations.named[i] != 0;
    (has_name ? kept : left).push_back(static_cast<Eigen::Index>(i));
    counts = counts || (!has_name && deviations.counted[i] != 0);
  }
  if (left.empty()) {
    return deviations;
  }
  if (counts || deviations.signs.size() > 0) {
    return square_root(deviations.covariance(), deviations.degrees_of_freedom, identity, sample);
  }
  const RowMatrix added = deviations.matrix(left, Eigen::all);
  Deviations root = square_root(added.transpose() * added, 0, identity, sample);
  Deviations result = deviations;
  result.named.clear();
  result.fractions.clear();
  result.units.clear();
  result.strata.clear();
  result.counted.clear();
  for (const Eigen::Index i : kept) {
    const auto at = static_cast<std::size_t>(i);
    result.units.push_back(deviations.units[at]);
    result.strata.push_back(deviations.strata[at]);
    result.counted.push_back(deviations.counted[at]);
    if (!deviations.fractions.empty()) {
      result.fractions.push_back(deviations.fractions[at]);
    }
  }
  result.units.insert(result.units.end(), root.units.begin(), root.units.end());
  result.strata.insert(result.strata.end(), root.strata.begin(), root.strata.end());
  result.counted.resize(result.units.size(), 0);
  if (!deviations.fractions.empty()) {
    result.fractions.resize(result.units.size(), 0.0);
  }
  result.matrix.resize(static_cast<Eigen::Index>(result.units.size()), deviations.estimates());
  result.matrix << deviations.matrix(kept, Eigen::all), root.matrix;
  return result;
}

Deviations join(const Deviations& first, const Deviations& second) {
  const bool by_unit = first.by_unit && second.by_unit;
  const std::vector<Eigen::Index> match = matches(first, second);
  const auto apart = static_cast<Eigen::Index>(std::count(match.begin(), match.end(), -1));
  const Eigen::Index shared = second.matrix.rows() - apart;
  const bool one_from_other = shared == std::min(first.matrix.rows(), second.matrix.rows());
  if (!by_unit && !one_from_other && share_a_sample(first, second)) {
    throw std::invalid_argument(
        "the covariance of estimates from separate calls is not known: the sample has too many "
        "units to keep a deviation for each");
  }
  Deviations result;
  result.by_unit = by_unit;
  result.units = first.units;
  result.counted = first.counted;
  JointStrata strata(first, second, match);
  for (const std::uint64_t key : first.strata) {
    result.strata.push_back(strata.of_first(key));
  }
  result.samples = first.samples;
  for (const std::uint64_t sample : second.samples) {
    if (std::find(result.samples.begin(), result.samples.end(), sample) == result.samples.end()) {
      result.samples.push_back(sample);
    }
  }
  result.matrix =
      RowMatrix::Zero(first.matrix.rows() + apart, first.matrix.cols() + second.matrix.cols());
  result.matrix.topLeftCorner(first.matrix.rows(), first.matrix.cols()) = first.matrix;
  Eigen::Index next = first.matrix.rows();
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] < 0) {
      result.units.push_back(second.units[i]);
      result.strata.push_back(strata.of_second(second.strata[i]));
      result.counted.push_back(second.counted[i]);
    } else {
      char& counts = result.counted[static_cast<std::size_t>(match[i])];
      counts = static_cast<char>(counts | second.counted[i]);
    }
    const Eigen::Index row = match[i] < 0 ? next++ : match[i];
    result.matrix.row(row).tail(second.matrix.cols()) =
        second.matrix.row(static_cast<Eigen::Index>(i));
  }
  join_signs(first, second, match, result);
  join_names(first, second, match, result);
  join_fractions(first, second, match, result);
  const bool one_sample = shared == first.matrix.rows() && shared == second.matrix.rows() &&
                          first.samples == second.samples;
  if (one_sample) {
    result.degrees_of_freedom = std::min(first.degrees_of_freedom, second.degrees_of_freedom);
  } else if (by_unit) {
    result.degrees_of_freedom = degrees_of_freedom(result);
    if (result.degrees_of_freedom < 1) {  // of designs whose first stage was certain
      result.degrees_of_freedom = std::min(first.degrees_of_freedom, second.degrees_of_freedom);
    }
  } else if (!std::isfinite(first.degrees_of_freedom + second.degrees_of_freedom)) {
    // Errors known from elsewhere lose none.
    result.degrees_of_freedom = std::min(first.degrees_of_freedom, second.degrees_of_freedom);
  } else {
    result.degrees_of_freedom = one_from_other && shared > 0
                                    ? std::min(first.degrees_of_freedom, second.degrees_of_freedom)
                                    : first.degrees_of_freedom + second.degrees_of_freedom;
  }
  return result;
}

Deviations add(const Deviations& first, Deviations second) {
  second.counted.assign(second.counted.size(), 0);
  Deviations both = join(first, second);
  const Eigen::Index size = first.estimates();
  both.matrix = (both.matrix.leftCols(size) + both.matrix.rightCols(size)).eval();
  both.degrees_of_freedom = first.degrees_of_freedom;
  return both;
}

SharedUnits shared_units(const Deviations& first, const Deviations& second) {
  const std::vector<Eigen::Index> match = matches(first, second);
  SharedUnits shared;
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] < 0) {
      continue;
    }
    const bool counts =
        second.counted[i] != 0 || first.counted[static_cast<std::size_t>(match[i])] != 0;
    ++(counts ? shared.first_stage : shared.further);
  }
  return shared;
}

}  // namespace steelyard
