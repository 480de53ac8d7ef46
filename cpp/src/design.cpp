#include "steelyard/design.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

void check_length(const std::string& name, Eigen::Index size, Eigen::Index rows) {
  if (size != rows) {
    throw InvalidColumn(name, InvalidColumn::Problem::kWrongLength, {std::abs(size - rows), {}});
  }
}

void check_complete(const std::string& name, const Codes& codes) {
  Offence offence;
  for (Eigen::Index row = 0; row < codes.size(); ++row) {
    if (codes[row] < 0) {
      offence.add(row);
    }
  }
  if (offence.count > 0) {
    throw InvalidColumn(name, InvalidColumn::Problem::kMissing, offence);
  }
}

/// The stratum of every unit, from the strata of its rows.
Codes strata_of_units(const Codes& strata, const Codes& units) {
  std::vector<std::int32_t> stratum(static_cast<std::size_t>(units.levels()), Codes::kNone);
  std::vector<std::int32_t> torn;
  std::vector<char> is_torn(stratum.size(), 0);
  Offence offence;
  for (Eigen::Index row = 0; row < strata.size(); ++row) {
    std::int32_t& first = stratum[static_cast<std::size_t>(units[row])];
    if (first == Codes::kNone) {
      first = strata[row];
    } else if (first != strata[row]) {
      offence.add(row);
      char& known = is_torn[static_cast<std::size_t>(units[row])];
      if (known == 0) {
        known = 1;
        torn.push_back(units[row]);
      }
    }
  }
  if (!torn.empty()) {
    throw DesignError(DesignError::Problem::kUnitInTwoStrata, torn, offence);
  }
  return Codes(std::move(stratum), strata.levels());
}

Offence bad_rows(const Column& column, bool (*bad)(double)) {
  Offence offence;
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < column.size(); begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, column.size() - begin);
    const double* values = column.read(begin, count, buffer.data());
    for (Eigen::Index i = 0; i < count; ++i) {
      if (bad(values[i])) {
        offence.add(begin + i);
      }
    }
  }
  return offence;
}

void refuse(const Column& column, InvalidColumn::Problem problem, bool (*bad)(double)) {
  const Offence offence = bad_rows(column, bad);
  if (offence.count > 0) {
    throw InvalidColumn(column.name(), problem, offence);
  }
}

void check_numbers(const Column& column, InvalidColumn::Problem when_nan) {
  refuse(column, when_nan, [](double v) { return std::isnan(v); });
  refuse(column, InvalidColumn::Problem::kNegative, [](double v) { return v < 0; });
  refuse(column, InvalidColumn::Problem::kInfinite, [](double v) { return std::isinf(v); });
}

}  // namespace

Design Design::stratified(Eigen::Index rows, Column weights, Codes strata, Codes units, Column fpc,
                          Lonely lonely) {
  Design design;
  design.rows_ = rows;
  design.lonely_ = lonely;
  design.weights_ = std::move(weights);
  design.check_weights();
  if (units.size() > 0) {
    check_length("clusters", units.size(), rows);
    check_complete("clusters", units);
    const std::vector<std::int64_t> rows_of_unit = units.counts();
    if (std::find(rows_of_unit.begin(), rows_of_unit.end(), 0) != rows_of_unit.end()) {
      throw std::invalid_argument("clusters: a level has no rows");
    }
  }
  design.unit_of_row_ = std::move(units);
  design.units_ = design.rows_are_units() ? rows : design.unit_of_row_.levels();
  design.assign_strata(strata);
  design.assign_fractions(fpc);
  design.settle_lonely();
  design.count_degrees_of_freedom();
  return design;
}

void Design::check_weights() {
  if (weights_.size() == 0) {
    return;
  }
  check_length(weights_.name(), weights_.size(), rows_);
  check_numbers(weights_, InvalidColumn::Problem::kNaN);
  const Offence zero = bad_rows(weights_, [](double v) { return v == 0; });
  if (zero.count == rows_) {
    throw InvalidColumn(weights_.name(), InvalidColumn::Problem::kAllZero, zero);
  }
}

void Design::assign_strata(const Codes& strata) {
  if (strata.size() == 0) {
    stratum_ = {Stratum{units_, 0, false}};
    return;
  }
  check_length("strata", strata.size(), rows_);
  check_complete("strata", strata);
  stratum_of_unit_ = rows_are_units() ? strata : strata_of_units(strata, unit_of_row_);
  stratum_.resize(static_cast<std::size_t>(strata.levels()));
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    ++stratum_[static_cast<std::size_t>(stratum_of_unit(unit))].units;
  }
}

void Design::assign_fractions(const Column& fpc) {
  if (fpc.size() == 0) {
    return;
  }
  check_length(fpc.name(), fpc.size(), rows_);
  check_numbers(fpc, InvalidColumn::Problem::kMissing);
  std::vector<double> value(stratum_.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<std::int32_t> varying;
  std::vector<bool> is_varying(stratum_.size(), false);
  Offence varies;
  Offence counts;
  for (Eigen::Index row = 0; row < rows_; ++row) {
    const std::int32_t h = stratum_of_unit(rows_are_units() ? row : unit_of_row_[row]);
    const double given = fpc[row];
    double& first = value[static_cast<std::size_t>(h)];
    first = std::isnan(first) ? given : first;
    if (given > 1) {
      counts.add(row);
    }
    if (given != first) {
      varies.add(row);
      if (!is_varying[static_cast<std::size_t>(h)]) {
        is_varying[static_cast<std::size_t>(h)] = true;
        varying.push_back(h);
      }
    }
  }
  if (!varying.empty()) {
    throw DesignError(DesignError::Problem::kFpcVaries, varying, varies);
  }
  if (counts.count > 0 && counts.count < rows_) {
    // A population of one unit is a count of 1, which also reads as a fraction: both are right.
    const bool only_ones = std::all_of(value.begin(), value.end(), [](double v) { return v >= 1; });
    if (!only_ones) {
      throw DesignError(DesignError::Problem::kFpcMixed, {}, counts);
    }
  }
  std::vector<std::int32_t> small;
  for (std::size_t h = 0; h < stratum_.size(); ++h) {
    const auto sampled = static_cast<double>(stratum_[h].units);
    const bool is_count = counts.count > 0;
    if (is_count ? value[h] < sampled : value[h] == 0) {
      small.push_back(static_cast<std::int32_t>(h));
    }
    stratum_[h].fraction = is_count ? sampled / value[h] : value[h];
    if (weights_.size() == 0) {
      stratum_weight_.push_back(1 / stratum_[h].fraction);
    }
  }
  if (!small.empty()) {
    const auto count = static_cast<std::int64_t>(small.size());
    throw DesignError(DesignError::Problem::kFpcBelowSample, small, {count, {}});
  }
}

void Design::settle_lonely() {
  std::vector<std::int32_t> lonely;
  for (std::size_t h = 0; h < stratum_.size(); ++h) {
    stratum_[h].lonely = stratum_[h].units == 1 && stratum_[h].fraction < 1;
    if (stratum_[h].lonely) {
      lonely.push_back(static_cast<std::int32_t>(h));
    }
  }
  if (lonely.empty()) {
    return;
  }
  const auto count = static_cast<std::int64_t>(lonely.size());
  const auto others = std::count_if(stratum_.begin(), stratum_.end(),
                                    [](const Stratum& s) { return s.units > 0; }) -
                      count;
  if (lonely_ == Lonely::kFail || (others == 0 && lonely_ == Lonely::kAverage)) {
    throw DesignError(DesignError::Problem::kLonelyStratum, lonely, {count, {}});
  }
  if (lonely_ == Lonely::kAverage) {
    average_inflation_ = static_cast<double>(others + count) / static_cast<double>(others);
  }
}

void Design::count_degrees_of_freedom() {
  unit_counts_.assign(static_cast<std::size_t>(units_), false);
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < rows_; begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, rows_ - begin);
    const double* w = weights(begin, count, buffer.data());
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::Index unit = rows_are_units() ? begin + i : unit_of_row_[begin + i];
      if (w[i] > 0) {
        unit_counts_[static_cast<std::size_t>(unit)] = true;
      }
    }
  }
  std::vector<bool> stratum_counts(stratum_.size(), false);
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    if (unit_counts(unit)) {
      stratum_counts[static_cast<std::size_t>(stratum_of_unit(unit))] = true;
    }
  }
  const auto counted = std::count(unit_counts_.begin(), unit_counts_.end(), true) -
                       std::count(stratum_counts.begin(), stratum_counts.end(), true);
  degrees_of_freedom_ = static_cast<double>(counted);
  if (counted < 1) {
    throw DesignError(DesignError::Problem::kNoDegreesOfFreedom, {}, {units_, {}});
  }
}

const double* Design::weights(Eigen::Index begin, Eigen::Index count, double* buffer) const {
  if (weights_.size() > 0) {
    return weights_.read(begin, count, buffer);
  }
  for (Eigen::Index i = 0; i < count; ++i) {
    const Eigen::Index unit = rows_are_units() ? begin + i : unit_of_row_[begin + i];
    buffer[i] = stratum_weight_.empty()
                    ? 1.0
                    : stratum_weight_[static_cast<std::size_t>(stratum_of_unit(unit))];
  }
  return buffer;
}

double Design::scale(Eigen::Index h) const {
  const Stratum& s = stratum(h);
  if (s.lonely) {
    return lonely_ == Lonely::kAdjust ? 1 - s.fraction : 0.0;
  }
  if (s.units < 2) {
    return 0;
  }
  const auto n = static_cast<double>(s.units);
  return average_inflation_ * (1 - s.fraction) * n / (n - 1);
}

void Design::deviate(Eigen::Ref<RowMatrix> totals) const {
  // Differences from the stratum's first unit: equal totals then deviate by exactly nothing.
  RowMatrix first = RowMatrix::Zero(strata(), totals.cols());
  RowMatrix mean = RowMatrix::Zero(strata(), totals.cols());
  std::vector<char> seen(static_cast<std::size_t>(strata()), 0);
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    const std::int32_t h = stratum_of_unit(unit);
    if (seen[static_cast<std::size_t>(h)] == 0) {
      seen[static_cast<std::size_t>(h)] = 1;
      first.row(h) = totals.row(unit);
    }
    mean.row(h) += totals.row(unit) - first.row(h);
  }
  for (Eigen::Index h = 0; h < strata(); ++h) {
    mean.row(h) /= static_cast<double>(std::max<std::int64_t>(1, stratum(h).units));
  }
  Eigen::RowVectorXd overall;
  if (lonely_ == Lonely::kAdjust) {
    overall = totals.colwise().mean();
  }
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    const std::int32_t h = stratum_of_unit(unit);
    const double root = std::sqrt(scale(h));
    if (stratum(h).lonely && lonely_ == Lonely::kAdjust) {
      totals.row(unit) = root * (totals.row(unit) - overall);
    } else {
      totals.row(unit) = root * ((totals.row(unit) - first.row(h)) - mean.row(h));
    }
  }
}

}  // namespace steelyard
