#include "steelyard/design.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/projection.hpp"
#include "steelyard/weighting.hpp"

namespace steelyard {

Design Design::sampled(Eigen::Index rows, Column weights, std::span<const Stage::Columns> stages,
                       const Options& options) {
  if (stages.empty()) {
    throw std::invalid_argument("a design has at least one stage");
  }
  Design design;
  design.rows_ = rows;
  design.options_ = options;
  design.weights_ = std::move(weights);
  design.check_weights();
  design.assign_stages(stages);
  design.trace_units();
  design.count_degrees_of_freedom();
  return design;
}

Design Design::stratified(Eigen::Index rows, Column weights, Codes strata, Codes units, Column fpc,
                          Lonely lonely) {
  const Stage::Columns stage{std::move(strata), std::move(units), std::move(fpc)};
  return sampled(rows, std::move(weights), std::span(&stage, 1), {.lonely = lonely});
}

Design Design::with_form(Eigen::Index rows, Column weights, const Stage::Columns& stage,
                         VarianceForm form, std::optional<double> degrees_of_freedom) {
  const Stage::Columns units{stage.strata, stage.units, Column()};
  Design design =
      sampled(rows, std::move(weights), std::span(&units, 1), {.lonely = Lonely::kCertainty});
  design.degrees_of_freedom_ = degrees_of_freedom.value_or(design.degrees_of_freedom_);
  // Degrees of freedom are counted in rows when samples are joined, whatever the rank of the form.
  form.pad(static_cast<Eigen::Index>(design.degrees_of_freedom_) + 1);
  design.form_ = std::make_shared<const VarianceForm>(std::move(form));
  return design;
}

Design Design::with_replicates(Replicates replicates,
                               std::optional<double> degrees_of_freedom) const {
  const bool by_unit = replicates.by_unit();
  if (replicates.size() != (by_unit ? units() : rows_)) {
    throw std::invalid_argument("replicates are of " + std::to_string(replicates.size()) +
                                (by_unit ? " units" : " rows") + ", and the sample has " +
                                std::to_string(by_unit ? units() : rows_));
  }
  Design result = *this;
  result.form_ = nullptr;
  result.replicates_ =
      std::make_shared<const Replicates>(weighting_ ? replayed(replicates) : std::move(replicates));
  const auto most = static_cast<double>(result.replicates_->count() - 1);
  if (degrees_of_freedom) {
    result.degrees_of_freedom_ = *degrees_of_freedom;
  } else {
    result.degrees_of_freedom_ = by_unit ? std::min(degrees_of_freedom_, most)
                                         : rank_degrees_of_freedom(result.products_of_replicates());
  }
  return result;
}

Design Design::with_weighting(const Weighting& weighting) const {
  if (replicates_ || weighting_) {
    throw std::invalid_argument("weighting comes before replicates, and once");
  }
  Eigen::VectorXd own(rows_);
  const double* given = weights(0, rows_, own.data());
  if (weighting.base().size() != rows_ ||
      weighting.base() != Eigen::Map<const Eigen::VectorXd>(given, rows_)) {
    throw std::invalid_argument("the weighting starts from other weights than those of the design");
  }
  Design result = *this;
  const auto chain = std::make_shared<const ProjectionChain>(weighting, unit_of_row_, units());
  const Eigen::VectorXd& made = chain->weighting().weights();
  result.weights_ = Column(weights_.name(), Column::Type::kFloat64, made.data(), rows_, chain);
  result.weighting_ = chain;
  return result;
}

Replicates Design::replayed(const Replicates& replicates) const {
  const Weighting& weighting = weighting_->weighting();
  auto all = std::make_shared<Eigen::MatrixXd>(rows_, replicates.count());
  parallel_for(replicates.count(), 0, [&](Eigen::Index r) {
    Eigen::VectorXd weight(rows_);
    const std::int32_t* unit = rows_are_units() ? nullptr : unit_of_row();
    replicates.read_one(r, 0, rows_, weighting.base().data(), unit, weight.data());
    try {
      all->col(r) = weighting.replay(weight, 1);
    } catch (const std::runtime_error&) {  // no such weights, or no fit, under this replicate
      all->col(r).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  });
  std::vector<Column> columns;
  for (Eigen::Index r = 0; r < replicates.count(); ++r) {
    columns.emplace_back("", Column::Type::kFloat64, all->col(r).data(), rows_, all);
  }
  return Replicates::replayed(std::move(columns), replicates.rule());
}

Design Design::under_replicate(Eigen::Index r) const {
  auto weight = std::make_shared<Eigen::VectorXd>(rows_);
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < rows_; begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, rows_ - begin);
    const double* base = weights(begin, count, buffer.data());
    const std::int32_t* unit = rows_are_units() ? nullptr : unit_of_row() + begin;
    replicates_->read_one(r, begin, count, base, unit, weight->data() + begin);
  }
  if (weight->minCoeff() < 0) {
    throw WeightingError(WeightingError::Problem::kNegativeReplicate);
  }
  Design result = *this;
  result.replicates_ = nullptr;
  result.weighting_ = nullptr;
  result.weights_ = Column(weights_.name(), Column::Type::kFloat64, weight->data(), rows_, weight);
  return result;
}

Eigen::MatrixXd Design::products_of_replicates() const {
  const Eigen::Index count = replicates_->count();
  const Eigen::Index segments = segment_count(rows_, count * count);
  std::vector<Eigen::MatrixXd> parts(static_cast<std::size_t>(segments),
                                     Eigen::MatrixXd::Zero(count, count));
  parallel_for(segments, 0, [&](Eigen::Index s) {
    RowMatrix all(kBlockRows, count);
    const Eigen::Index end = rows_ * (s + 1) / segments;
    for (Eigen::Index begin = rows_ * s / segments; begin < end; begin += kBlockRows) {
      const Eigen::Index rows = std::min(kBlockRows, end - begin);
      read_replicates(begin, rows, all.topRows(rows));
      parts[static_cast<std::size_t>(s)].selfadjointView<Eigen::Lower>().rankUpdate(
          all.topRows(rows).transpose());
    }
  });
  for (std::size_t s = 1; s < parts.size(); ++s) {
    parts.front() += parts[s];
  }
  return parts.front().selfadjointView<Eigen::Lower>();
}

void Design::read_replicates(Eigen::Index begin, Eigen::Index count,
                             Eigen::Ref<RowMatrix> into) const {
  Eigen::VectorXd buffer(count);
  const double* base = weights(begin, count, buffer.data());
  replicates_->read(begin, count, base, rows_are_units() ? nullptr : unit_of_row() + begin, into);
}

const Eigen::VectorXd& Design::signs() const {
  static const Eigen::VectorXd none;
  return form_ ? form_->signs() : none;
}

void Design::check_weights() const {
  if (weights_.size() == 0) {
    return;
  }
  if (weights_.size() != rows_) {
    throw InvalidColumn(weights_.name(), InvalidColumn::Problem::kWrongLength,
                        {std::abs(weights_.size() - rows_), {}});
  }
  weights_.refuse(InvalidColumn::Problem::kNaN, [](double v) { return std::isnan(v); });
  weights_.refuse(InvalidColumn::Problem::kNegative, [](double v) { return v < 0; });
  weights_.refuse(InvalidColumn::Problem::kInfinite, [](double v) { return std::isinf(v); });
  const Offence zero = weights_.rows_where([](double v) { return v == 0; });
  if (zero.count == rows_) {
    throw InvalidColumn(weights_.name(), InvalidColumn::Problem::kAllZero, zero);
  }
}

void Design::assign_stages(std::span<const Stage::Columns> stages) {
  const auto decided = [](const Stage& stage) {
    for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
      if (stage.share(unit) > 0) {
        return true;
      }
    }
    return false;
  };
  const auto at = [&](std::size_t s) {
    return Stage::Options{options_.lonely, options_.selection, static_cast<int>(s)};
  };
  stages_.emplace_back(stages[0], rows_, at(0));
  unit_of_row_ = stages[0].units;
  for (std::size_t s = 1; s < stages.size() && decided(stages_.back()); ++s) {
    if (rows_are_units()) {
      throw std::invalid_argument("rows are the last units: no stage lies below them");
    }
    stages_.emplace_back(stages[s], stages_.back(), unit_of_row_, at(s));
    unit_of_row_ = stages[s].units;
  }
  averages_lonely_ = options_.lonely == Lonely::kAverage &&
                     std::any_of(stages_.begin(), stages_.end(),
                                 [](const Stage& stage) { return stage.has_lonely(); });
  const bool has_fraction = std::any_of(stages_.begin(), stages_.end(),
                                        [](const Stage& stage) { return stage.has_fpc(); });
  if (weights_.size() > 0 || !has_fraction) {
    return;
  }
  for (Eigen::Index unit = 0; unit < units(); ++unit) {
    double weight = 1;
    Eigen::Index at_stage = unit;
    for (auto stage = stages_.rbegin(); stage != stages_.rend(); ++stage) {
      weight *= stage->has_fpc() ? 1 / stage->fraction(at_stage) : 1;
      at_stage = stage->above().size() == 0 ? at_stage : stage->above()[at_stage];
    }
    unit_weight_.push_back(weight);
  }
}

void Design::trace_units() {
  if (stages_.size() == 1) {
    return;
  }
  std::vector<std::int32_t> primary(static_cast<std::size_t>(first().units()));
  for (std::size_t i = 0; i < primary.size(); ++i) {
    primary[i] = static_cast<std::int32_t>(i);
    stratum_of_deviation_.push_back(first().stratum_of_unit(static_cast<Eigen::Index>(i)));
  }
  for (const Stage& stage : stages().subspan(1)) {
    std::vector<std::int32_t> below(static_cast<std::size_t>(stage.units()));
    for (std::size_t i = 0; i < below.size(); ++i) {
      below[i] = primary[static_cast<std::size_t>(stage.above()[static_cast<Eigen::Index>(i)])];
      stratum_of_deviation_.push_back(first().stratum_of_unit(below[i]));
    }
    primary = std::move(below);
  }
  primary_of_unit_ = std::move(primary);
}

void Design::count_degrees_of_freedom() {
  unit_counts_.assign(static_cast<std::size_t>(first().units()), false);
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < rows_; begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, rows_ - begin);
    const double* w = weights(begin, count, buffer.data());
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::Index unit = rows_are_units() ? begin + i : unit_of_row_[begin + i];
      if (w[i] > 0) {
        unit_counts_[static_cast<std::size_t>(primary_of_unit(unit))] = true;
      }
    }
  }
  for (std::size_t s = 0; s < stages_.size() && degrees_of_freedom_ < 1; ++s) {
    degrees_of_freedom_ = static_cast<double>(units_minus_strata(s));
  }
  if (degrees_of_freedom_ < 1) {
    throw DesignError(DesignError::Problem::kNoDegreesOfFreedom, {}, {first().units(), {}}, 0);
  }
}

std::int64_t Design::units_minus_strata(std::size_t s) const {
  const Stage& stage = stages_[s];
  std::vector<bool> counts(static_cast<std::size_t>(stage.strata()), false);
  std::int64_t units = 0;
  for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
    Eigen::Index primary = unit;
    for (std::size_t above = s; above > 0; --above) {
      primary = stages_[above].above()[primary];
    }
    if (unit_counts(primary)) {
      ++units;
      counts[static_cast<std::size_t>(stage.stratum_of_unit(unit))] = true;
    }
  }
  return units - std::count(counts.begin(), counts.end(), true);
}

const double* Design::weights(Eigen::Index begin, Eigen::Index count, double* buffer) const {
  if (weights_.size() > 0) {
    return weights_.read(begin, count, buffer);
  }
  for (Eigen::Index i = 0; i < count; ++i) {
    const Eigen::Index unit = rows_are_units() ? begin + i : unit_of_row_[begin + i];
    buffer[i] = unit_weight_.empty() ? 1.0 : unit_weight_[static_cast<std::size_t>(unit)];
  }
  return buffer;
}

Eigen::VectorXd Design::row_fractions(std::size_t stage) const {
  Eigen::VectorXd result(rows_);
  const std::vector<std::int32_t> units = row_units(stage);
  for (Eigen::Index row = 0; row < rows_; ++row) {
    result[row] = stages_[stage].fraction(units[static_cast<std::size_t>(row)]);
  }
  return result;
}

std::vector<std::int32_t> Design::row_units(std::size_t stage) const {
  if (stage >= stages_.size()) {
    throw std::out_of_range("the design has no such stage");
  }
  std::vector<std::int32_t> result(static_cast<std::size_t>(rows_));
  for (Eigen::Index row = 0; row < rows_; ++row) {
    auto unit = rows_are_units() ? static_cast<std::int32_t>(row) : unit_of_row_[row];
    for (std::size_t s = stages_.size() - 1; s > stage; --s) {
      unit = stages_[s].above()[unit];
    }
    result[static_cast<std::size_t>(row)] = unit;
  }
  return result;
}

Eigen::Index Design::units_of_all_stages() const {
  Eigen::Index rows = 0;
  for (const Stage& stage : stages_) {
    rows += stage.units();
  }
  return rows;
}

Eigen::Index Design::deviations() const {
  if (replicates_) {
    return replicates_->count();
  }
  return form_ ? form_->rows() : units_of_all_stages();
}

RowMatrix Design::sum_by_stage(const RowMatrix& totals) const {
  RowMatrix result = RowMatrix::Zero(units_of_all_stages(), totals.cols());
  result.bottomRows(units()) = totals;
  Eigen::Index below = result.rows() - units();
  for (std::size_t s = stages_.size() - 1; s > 0; --s) {
    const Eigen::Index at = below - stages_[s - 1].units();
    for (Eigen::Index unit = 0; unit < stages_[s].units(); ++unit) {
      result.row(at + stages_[s].above()[unit]) += result.row(below + unit);
    }
    below = at;
  }
  return result;
}

RowMatrix Design::deviate(RowMatrix totals) const {
  if (form_) {
    return form_->deviate(totals);
  }
  if (stages_.size() == 1) {
    first().deviate(totals);
    return totals;
  }
  RowMatrix result = sum_by_stage(totals);
  Eigen::Index at = 0;
  for (const Stage& stage : stages_) {
    stage.deviate(result.middleRows(at, stage.units()));
    at += stage.units();
  }
  return result;
}

RowMatrix Design::transpose(RowMatrix multipliers) const {
  if (form_) {
    return form_->transpose(multipliers, units());
  }
  // What is added to a unit is added to all units in it.
  Eigen::Index at = 0;
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const Stage& stage = stages_[s];
    stage.transpose(multipliers.middleRows(at, stage.units()));
    if (s > 0) {
      const Eigen::Index above = at - stages_[s - 1].units();
      for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
        multipliers.row(at + unit) += multipliers.row(above + stage.above()[unit]);
      }
    }
    at += stage.units();
  }
  return multipliers.bottomRows(units());
}

}  // namespace steelyard
