#include "steelyard/stage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/error.hpp"

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

/// What every unit lies in, from what its rows lie in.
Codes groups_of_units(const Codes& groups, const Codes& units, int stage) {
  if (units.size() == 0) {
    return groups;
  }
  std::vector<std::int32_t> group(static_cast<std::size_t>(units.levels()), Codes::kNone);
  std::vector<std::int32_t> torn;
  std::vector<char> is_torn(group.size(), 0);
  Offence offence;
  for (Eigen::Index row = 0; row < groups.size(); ++row) {
    std::int32_t& first = group[static_cast<std::size_t>(units[row])];
    if (first == Codes::kNone) {
      first = groups[row];
    } else if (first != groups[row]) {
      offence.add(row);
      char& known = is_torn[static_cast<std::size_t>(units[row])];
      if (known == 0) {
        known = 1;
        torn.push_back(units[row]);
      }
    }
  }
  if (!torn.empty()) {
    throw DesignError(DesignError::Problem::kUnitInTwoStrata, torn, offence, stage);
  }
  return Codes(std::move(group), groups.levels());
}

/// One value a group, from one value a row.
struct Constants {
  std::vector<double> value;
  std::vector<std::int32_t> varying;  ///< groups that have more than one
  Offence varies;                     ///< rows that differ from their group's first
  Offence counts;                     ///< rows with a value above 1
};

Constants read_constants(const Column& column, const Codes& units, const Codes& group_of_unit,
                         Eigen::Index groups) {
  Constants result;
  result.value.assign(static_cast<std::size_t>(groups), std::numeric_limits<double>::quiet_NaN());
  std::vector<bool> is_varying(result.value.size(), false);
  for (Eigen::Index row = 0; row < column.size(); ++row) {
    const Eigen::Index unit = units.size() == 0 ? row : units[row];
    const std::int32_t group = group_of_unit.size() == 0 ? 0 : group_of_unit[unit];
    const double given = column[row];
    double& first = result.value[static_cast<std::size_t>(group)];
    first = std::isnan(first) ? given : first;
    if (given > 1) {
      result.counts.add(row);
    }
    if (given != first) {
      result.varies.add(row);
      if (!is_varying[static_cast<std::size_t>(group)]) {
        is_varying[static_cast<std::size_t>(group)] = true;
        result.varying.push_back(group);
      }
    }
  }
  return result;
}

Codes one_each(Eigen::Index size) {
  std::vector<std::int32_t> codes(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::int32_t>(i);
  }
  return Codes(std::move(codes), static_cast<std::int32_t>(size));
}

}  // namespace

Stage::Stage(const Columns& columns, Eigen::Index rows, const Options& options)
    : options_(options) {
  assign_units(columns, rows);
  assign_strata(columns, rows);
  assign_fractions(columns);
  settle_lonely();
}

Stage::Stage(const Columns& columns, const Stage& above, const Codes& above_of_row,
             const Options& options)
    : options_(options) {
  assign_units(columns, above_of_row.size());
  above_ = groups_of_units(above_of_row, columns.units, options_.number);
  for (Eigen::Index unit = 0; unit < above.units(); ++unit) {
    share_above_.push_back(above.share(unit));
  }
  Columns nested = columns;
  nested.strata = columns.strata.size() == 0 ? above_of_row : columns.strata;
  assign_strata(nested, above_of_row.size());
  assign_fractions(nested);
  settle_lonely();
}

void Stage::assign_units(const Columns& columns, Eigen::Index rows) {
  units_ = rows;
  if (columns.units.size() == 0) {
    return;
  }
  check_length("clusters", columns.units.size(), rows);
  check_complete("clusters", columns.units);
  const std::vector<std::int64_t> rows_of_unit = columns.units.counts();
  if (std::find(rows_of_unit.begin(), rows_of_unit.end(), 0) != rows_of_unit.end()) {
    throw std::invalid_argument("clusters: a level has no rows");
  }
  units_ = columns.units.levels();
}

void Stage::assign_strata(const Columns& columns, Eigen::Index rows) {
  if (columns.strata.size() == 0) {
    stratum_ = {Stratum{units_, 0, false, 0}};
    return;
  }
  check_length("strata", columns.strata.size(), rows);
  check_complete("strata", columns.strata);
  stratum_of_unit_ = groups_of_units(columns.strata, columns.units, options_.number);
  stratum_.resize(static_cast<std::size_t>(columns.strata.levels()));
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    Stratum& stratum = stratum_[static_cast<std::size_t>(stratum_of_unit(unit))];
    ++stratum.units;
    stratum.family = above_.size() == 0 ? 0 : above_[unit];
  }
}

void Stage::assign_fractions(const Columns& columns) {
  has_fpc_ = columns.fpc.size() > 0;
  if (!has_fpc_) {
    return;
  }
  const Column& fpc = columns.fpc;
  check_length(fpc.name(), fpc.size(), columns.units.size() > 0 ? columns.units.size() : units_);
  fpc.refuse(InvalidColumn::Problem::kMissing, [](double v) { return std::isnan(v); });
  fpc.refuse(InvalidColumn::Problem::kNegative, [](double v) { return v < 0; });
  fpc.refuse(InvalidColumn::Problem::kInfinite, [](double v) { return std::isinf(v); });
  const bool own = options_.selection == Selection::kBrewer;
  const Codes group_of_unit = own ? one_each(units_) : stratum_of_unit_;
  const Constants given =
      read_constants(fpc, columns.units, group_of_unit, own ? units_ : strata());
  if (!given.varying.empty()) {
    throw DesignError(
        own ? DesignError::Problem::kFractionVaries : DesignError::Problem::kFpcVaries,
        given.varying, given.varies, options_.number);
  }
  // A population of one unit is a count of 1, which also reads as a fraction: both are right.
  const bool only_ones =
      std::all_of(given.value.begin(), given.value.end(), [](double v) { return v >= 1; });
  const bool are_counts = given.counts.count > 0;
  if (are_counts && (own || !only_ones)) {
    throw DesignError(own ? DesignError::Problem::kFractionNeeded : DesignError::Problem::kFpcMixed,
                      {}, given.counts, options_.number);
  }
  std::vector<std::int32_t> small;
  for (std::size_t g = 0; g < given.value.size(); ++g) {
    const double sampled = own ? 1 : static_cast<double>(stratum_[g].units);
    if (are_counts ? given.value[g] < sampled : given.value[g] == 0) {
      small.push_back(static_cast<std::int32_t>(g));
    }
    if (!own) {
      stratum_[g].fraction = are_counts ? sampled / given.value[g] : given.value[g];
    }
  }
  if (!small.empty()) {
    const auto count = static_cast<std::int64_t>(small.size());
    throw DesignError(
        own ? DesignError::Problem::kFractionNeeded : DesignError::Problem::kFpcBelowSample, small,
        {count, {}}, options_.number);
  }
  if (own) {
    fraction_of_unit_ = given.value;
  }
}

void Stage::settle_lonely() {
  std::vector<double> certain(stratum_.size(), 1);
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    double& smallest = certain[static_cast<std::size_t>(stratum_of_unit(unit))];
    smallest = std::min(smallest, fraction(unit));
  }
  std::vector<std::int32_t> lonely;
  const std::size_t families = std::max<std::size_t>(1, share_above_.size());
  std::vector<double> all(families, 0);
  std::vector<double> alone(families, 0);
  for (std::size_t h = 0; h < stratum_.size(); ++h) {
    const auto family = static_cast<std::size_t>(stratum_[h].family);
    const bool matters = share_above_.empty() || share_above_[family] > 0;
    stratum_[h].lonely = matters && stratum_[h].units == 1 && certain[h] < 1;
    all[family] += stratum_[h].units > 0 ? 1 : 0;
    alone[family] += stratum_[h].lonely ? 1 : 0;
  }
  for (std::size_t h = 0; h < stratum_.size(); ++h) {
    const auto family = static_cast<std::size_t>(stratum_[h].family);
    const bool nothing_to_average =
        options_.lonely == Lonely::kAverage && all[family] == alone[family];
    if (stratum_[h].lonely && (options_.lonely == Lonely::kFail || nothing_to_average)) {
      lonely.push_back(static_cast<std::int32_t>(h));
    }
  }
  if (!lonely.empty()) {
    const auto count = static_cast<std::int64_t>(lonely.size());
    throw DesignError(DesignError::Problem::kLonelyStratum, lonely, {count, {}}, options_.number);
  }
  if (options_.lonely == Lonely::kAverage) {
    for (std::size_t f = 0; f < families; ++f) {
      inflation_.push_back(all[f] > 0 ? all[f] / (all[f] - alone[f]) : 1);
    }
  }
}

double Stage::fraction(Eigen::Index unit) const {
  return fraction_of_unit_.empty() ? stratum(stratum_of_unit(unit)).fraction
                                   : fraction_of_unit_[static_cast<std::size_t>(unit)];
}

double Stage::share(Eigen::Index unit) const { return share_above(unit) * fraction(unit); }

double Stage::inflation(Eigen::Index h) const {
  return inflation_.empty() ? 1 : inflation_[static_cast<std::size_t>(stratum(h).family)];
}

double Stage::scale(Eigen::Index unit) const {
  return share_above(unit) * scale_of(stratum_of_unit(unit), fraction(unit));
}

double Stage::scale_of(Eigen::Index h, double fraction) const {
  const Stratum& s = stratum(h);
  if (s.lonely) {
    return options_.lonely == Lonely::kAdjust ? 1 - fraction : 0;
  }
  if (s.units < 2) {
    return 0;
  }
  const auto n = static_cast<double>(s.units);
  return inflation(h) * (1 - fraction) * n / (n - 1);
}

void Stage::deviate(Eigen::Ref<RowMatrix> totals) const {
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
  if (options_.lonely == Lonely::kAdjust) {
    overall = totals.colwise().mean();
  }
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    const std::int32_t h = stratum_of_unit(unit);
    const double root = std::sqrt(scale(unit));
    if (stratum(h).lonely && options_.lonely == Lonely::kAdjust) {
      totals.row(unit) = root * (totals.row(unit) - overall);
    } else {
      totals.row(unit) = root * ((totals.row(unit) - first.row(h)) - mean.row(h));
    }
  }
}

void Stage::transpose(Eigen::Ref<RowMatrix> multipliers) const {
  RowMatrix mean = RowMatrix::Zero(strata(), multipliers.cols());
  Eigen::RowVectorXd overall = Eigen::RowVectorXd::Zero(multipliers.cols());
  const auto at_overall = [&](std::int32_t h) {
    return stratum(h).lonely && options_.lonely == Lonely::kAdjust;
  };
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    const std::int32_t h = stratum_of_unit(unit);
    multipliers.row(unit) *= std::sqrt(scale(unit));
    if (at_overall(h)) {
      overall += multipliers.row(unit) / static_cast<double>(units_);
    } else {
      mean.row(h) += multipliers.row(unit) / static_cast<double>(stratum(h).units);
    }
  }
  for (Eigen::Index unit = 0; unit < units_; ++unit) {
    multipliers.row(unit) -= mean.row(stratum_of_unit(unit)) + overall;
  }
}

}  // namespace steelyard
