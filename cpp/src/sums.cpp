#include "steelyard/sums.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Which cell of the tables each row of a block belongs to; -1 where it is in no domain or weighs
/// nothing.
struct Block {
  RowBlock rows;
  const double* weight = nullptr;
  std::vector<double> buffer = std::vector<double>(static_cast<std::size_t>(kBlockRows));
  std::vector<std::int64_t> group_cell =
      std::vector<std::int64_t>(static_cast<std::size_t>(kBlockRows));
  std::vector<std::int64_t> stratum_cell =
      std::vector<std::int64_t>(static_cast<std::size_t>(kBlockRows));

  void read(const Design& design, const Domains& domains, Grouping grouping, Eigen::Index begin,
            Eigen::Index count) {
    rows = domains.block(begin, count);
    weight = design.weights(begin, count, buffer.data());
    const std::int64_t width = domains.count();
    const std::int32_t* unit_of_row = design.unit_of_row();
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::Index row = begin + i;
      const std::int64_t unit = unit_of_row == nullptr ? row : unit_of_row[row];
      const std::int64_t stratum = design.stratum_of_unit(unit);
      const std::int64_t domain = rows.domain_of(i);
      const bool counts = domain >= 0 && weight[i] != 0;
      const std::int64_t group = grouping == Grouping::kUnit ? unit : stratum;
      const auto at = static_cast<std::size_t>(i);
      group_cell[at] = counts ? group * width + domain : -1;
      stratum_cell[at] = counts ? stratum * width + domain : -1;
    }
  }
};

void add_levels(const Block& block, const Codes& levels, FeatureSums& sums) {
  double* weights = sums.by_group.data();
  std::int64_t* used = sums.used.data();
  std::int64_t* missing = sums.missing.data();
  const std::int64_t width = sums.features;
  const std::int32_t* level_of_row = levels.data() + block.rows.begin;
  for (Eigen::Index i = 0; i < block.rows.count; ++i) {
    const std::int64_t cell = block.group_cell[static_cast<std::size_t>(i)];
    if (cell < 0) {
      continue;
    }
    const std::int64_t stratum_cell = block.stratum_cell[static_cast<std::size_t>(i)];
    if (level_of_row[i] < 0) {
      ++missing[stratum_cell];
      continue;
    }
    weights[cell * width + level_of_row[i]] += block.weight[i];
    ++used[stratum_cell];
  }
}

void add_column(const Block& block, const double* y, FeatureSums& sums) {
  double* table = sums.by_group.data();
  double* second = sums.second.data();
  const double* centre = sums.centre.data();
  std::int64_t* used = sums.used.data();
  std::int64_t* missing = sums.missing.data();
  for (Eigen::Index i = 0; i < block.rows.count; ++i) {
    const std::int64_t cell = block.group_cell[static_cast<std::size_t>(i)];
    if (cell < 0) {
      continue;
    }
    const std::int64_t stratum_cell = block.stratum_cell[static_cast<std::size_t>(i)];
    if (std::isnan(y[i])) {
      ++missing[stratum_cell];
      continue;
    }
    const double centred = y[i] - centre[stratum_cell];
    const double weighted = block.weight[i] * centred;
    table[2 * cell] += block.weight[i];
    table[2 * cell + 1] += weighted;
    second[stratum_cell] += weighted * centred;
    ++used[stratum_cell];
  }
}

void add_columns(const Block& block, const std::vector<const double*>& columns, FeatureSums& sums) {
  const auto q = static_cast<Eigen::Index>(columns.size());
  Eigen::VectorXd centred(q);
  for (Eigen::Index i = 0; i < block.rows.count; ++i) {
    const std::int64_t cell = block.group_cell[static_cast<std::size_t>(i)];
    if (cell < 0) {
      continue;
    }
    const std::int64_t stratum_cell = block.stratum_cell[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < q; ++j) {
      centred[j] = columns[static_cast<std::size_t>(j)][i] - sums.centre(stratum_cell, j);
    }
    if (centred.hasNaN()) {
      ++sums.missing.data()[stratum_cell];
      continue;
    }
    const double weight = block.weight[i];
    double* feature = sums.by_group.data() + cell * sums.features;
    double* second = sums.second.data() + stratum_cell * q * q;
    feature[0] += weight;
    for (Eigen::Index j = 0; j < q; ++j) {
      feature[1 + j] += weight * centred[j];
      for (Eigen::Index k = 0; k < q; ++k) {
        second[j * q + k] += weight * centred[j] * centred[k];
      }
    }
    ++sums.used.data()[stratum_cell];
  }
}

void add_block(const Block& block, const Estimator& estimator, RowMatrix& buffer,
               FeatureSums& sums) {
  if (estimator.of_levels()) {
    add_levels(block, estimator.levels(), sums);
    return;
  }
  std::vector<const double*> columns;
  estimator.read(block.rows, buffer, columns);
  if (columns.size() == 1) {
    add_column(block, columns.front(), sums);
  } else {
    add_columns(block, columns, sums);
  }
}

FeatureSums empty_sums(const Design& design, const Domains& domains, const Estimator& estimator,
                       Grouping grouping, const RowMatrix& centre) {
  const Eigen::Index groups = grouping == Grouping::kUnit ? design.units() : design.strata();
  const Eigen::Index cells = design.strata() * domains.count();
  const Eigen::Index q = estimator.width();
  FeatureSums sums;
  sums.grouping = grouping;
  sums.features = estimator.features();
  sums.by_group = RowMatrix::Zero(groups, domains.count() * sums.features);
  sums.centre = centre;
  sums.second = RowMatrix::Zero(cells, q * q);
  sums.used.setZero(design.strata(), domains.count());
  sums.missing.setZero(design.strata(), domains.count());
  return sums;
}

void merge(FeatureSums& into, const FeatureSums& part) {
  into.by_group += part.by_group;
  into.second += part.second;
  into.used += part.used;
  into.missing += part.missing;
}

using AllSums = std::vector<FeatureSums>;

AllSums pass(const Design& design, const Domains& domains, std::span<const EstimatorPtr> estimators,
             Grouping grouping, const std::vector<RowMatrix>& centres, int threads) {
  const auto empty = [&] {
    AllSums sums;
    for (std::size_t e = 0; e < estimators.size(); ++e) {
      sums.push_back(empty_sums(design, domains, *estimators[e], grouping, centres[e]));
    }
    return sums;
  };
  Eigen::Index cells = 0;
  Eigen::Index width = 1;
  const Eigen::Index groups = grouping == Grouping::kUnit ? design.units() : design.strata();
  for (const EstimatorPtr& estimator : estimators) {
    cells += groups * domains.count() * estimator->features();
    width = std::max(width, estimator->width());
  }
  const Eigen::Index segments = segment_count(design.rows(), cells);
  std::vector<AllSums> parts(static_cast<std::size_t>(segments));
  parallel_for(segments, threads, [&](Eigen::Index s) {
    AllSums sums = empty();
    Block block;
    RowMatrix buffer(width, kBlockRows);
    const Eigen::Index end = design.rows() * (s + 1) / segments;
    for (Eigen::Index row = design.rows() * s / segments; row < end; row += kBlockRows) {
      block.read(design, domains, grouping, row, std::min(kBlockRows, end - row));
      for (std::size_t e = 0; e < estimators.size(); ++e) {
        add_block(block, *estimators[e], buffer, sums[e]);
      }
    }
    parts[static_cast<std::size_t>(s)] = std::move(sums);
  });
  AllSums total = std::move(parts.front());
  for (std::size_t s = 1; s < parts.size(); ++s) {
    for (std::size_t e = 0; e < estimators.size(); ++e) {
      merge(total[e], parts[s][e]);
    }
  }
  return total;
}

/// The mean of a few values spread over the column: near enough to the data for a first centre.
double guess_centre(const Column& column) {
  constexpr Eigen::Index kSample = 256;
  double sum = 0;
  double count = 0;
  const Eigen::Index step = std::max<Eigen::Index>(1, column.size() / kSample);
  for (Eigen::Index row = 0; row < column.size(); row += step) {
    const double value = column[row];
    if (std::isfinite(value)) {
      sum += value;
      ++count;
    }
  }
  return count > 0 ? sum / count : 0;
}

std::vector<RowMatrix> first_centres(const Design& design, const Domains& domains,
                                     std::span<const EstimatorPtr> estimators) {
  std::vector<RowMatrix> centres;
  for (const EstimatorPtr& estimator : estimators) {
    const std::vector<Column>& columns = estimator->columns();
    RowMatrix centre = RowMatrix::Zero(design.strata() * domains.count(), estimator->width());
    for (Eigen::Index j = 0; !estimator->computes() && j < centre.cols(); ++j) {
      centre.col(j).setConstant(guess_centre(columns[static_cast<std::size_t>(j)]));
    }
    centres.push_back(std::move(centre));
  }
  return centres;
}

void refuse_infinite(const Estimator& estimator, const FeatureSums& sums) {
  if (sums.by_group.allFinite()) {
    return;
  }
  for (const Column& column : estimator.columns()) {
    Offence offence;
    for (Eigen::Index row = 0; row < column.size(); ++row) {
      if (std::isinf(column[row])) {
        offence.add(row);
      }
    }
    if (offence.count > 0) {
      throw InvalidColumn(column.name(), InvalidColumn::Problem::kInfinite, offence);
    }
  }
  throw std::overflow_error("weighted sums exceed the range of double: rescale the column");
}

/// Moves the centres to the cell means where any lies so far from its data that digits were lost.
/// @return whether they moved.
bool improve_centres(const Design& design, const FeatureSums& sums, const RowMatrix& by_stratum,
                     RowMatrix& centre) {
  constexpr double kFarInVariances = 1e6;
  const Eigen::Index cells = centre.rows();
  const Eigen::Index domains = cells / std::max<Eigen::Index>(1, design.strata());
  bool moved = false;
  for (Eigen::Index j = 0; j < centre.cols(); ++j) {
    Eigen::VectorXd offset = Eigen::VectorXd::Zero(cells);
    // A domain's own spread: that of another must not hide how far its centre lies.
    Eigen::VectorXd within = Eigen::VectorXd::Zero(domains);
    Eigen::VectorXd weight = Eigen::VectorXd::Zero(domains);
    Eigen::VectorXd farthest = Eigen::VectorXd::Zero(domains);
    for (Eigen::Index cell = 0; cell < cells; ++cell) {
      const double* feature = by_stratum.data() + cell * sums.features;
      if (feature[0] > 0) {
        const Eigen::Index d = cell % domains;
        offset[cell] = feature[1 + j] / feature[0];
        within[d] +=
            std::max(0.0, sums.second(cell, j * centre.cols() + j) - feature[1 + j] * offset[cell]);
        weight[d] += feature[0];
        farthest[d] = std::max(farthest[d], std::abs(offset[cell]));
      }
    }
    for (Eigen::Index d = 0; d < domains; ++d) {
      const bool has_spread = sums.used.col(d).sum() > 1;
      if (has_spread && farthest[d] * farthest[d] * weight[d] > kFarInVariances * within[d]) {
        centre.col(j) += offset;
        moved = true;
        break;
      }
    }
  }
  return moved;
}

}  // namespace

RowMatrix sum_by_stratum(const Design& design, const FeatureSums& sums) {
  if (sums.grouping == Grouping::kStratum) {
    return sums.by_group;
  }
  RowMatrix result = RowMatrix::Zero(design.strata(), sums.by_group.cols());
  for (Eigen::Index unit = 0; unit < sums.by_group.rows(); ++unit) {
    result.row(design.stratum_of_unit(unit)) += sums.by_group.row(unit);
  }
  return result;
}

std::vector<FeatureSums> sum_rows(const Design& design, const Domains& domains,
                                  std::span<const EstimatorPtr> estimators, Grouping grouping,
                                  int threads) {
  std::vector<RowMatrix> centres = first_centres(design, domains, estimators);
  AllSums sums = pass(design, domains, estimators, grouping, centres, threads);
  std::vector<EstimatorPtr> again;
  std::vector<std::size_t> which;
  for (std::size_t e = 0; e < estimators.size(); ++e) {
    refuse_infinite(*estimators[e], sums[e]);
    if (!estimators[e]->of_levels() && !estimators[e]->computes() &&
        improve_centres(design, sums[e], sum_by_stratum(design, sums[e]), centres[e])) {
      again.push_back(estimators[e]);
      which.push_back(e);
    }
  }
  if (!again.empty()) {
    std::vector<RowMatrix> better;
    for (const std::size_t e : which) {
      better.push_back(centres[e]);
    }
    AllSums second = pass(design, domains, again, grouping, better, threads);
    for (std::size_t i = 0; i < which.size(); ++i) {
      sums[which[i]] = std::move(second[i]);
    }
  }
  return sums;
}

}  // namespace steelyard
