#include "steelyard/controls.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

Eigen::Index length_of(const std::vector<Codes>& margins, const std::vector<Column>& columns) {
  if (margins.empty() && columns.empty()) {
    throw std::invalid_argument("a calibration needs at least one control");
  }
  return margins.empty() ? columns.front().size() : margins.front().size();
}

}  // namespace

Controls::Controls(std::vector<Codes> margins, std::vector<Column> columns, Codes groups)
    : margins_(std::move(margins)),
      columns_(std::move(columns)),
      groups_(std::move(groups)),
      rows_(length_of(margins_, columns_)),
      width_(static_cast<Eigen::Index>(columns_.size())) {
  const auto check = [&](Eigen::Index size) {
    if (size != rows_) {
      throw std::invalid_argument("controls have different numbers of rows");
    }
  };
  for (const Codes& margin : margins_) {
    check(margin.size());
    width_ += margin.levels();
  }
  for (const Column& column : columns_) {
    check(column.size());
  }
  if (groups_.size() > 0) {
    check(groups_.size());
  }
}

void Controls::read(Eigen::Index begin, Eigen::Index count, RowMatrix& into) const {
  into.topRows(count).setZero();
  Eigen::Index at = 0;
  for (const Codes& margin : margins_) {
    for (Eigen::Index i = 0; i < count; ++i) {
      const std::int32_t level = margin[begin + i];
      if (level >= 0) {
        into(i, at + level) = 1;
      }
    }
    at += margin.levels();
  }
  std::vector<double> buffer(static_cast<std::size_t>(count));
  for (const Column& column : columns_) {
    const double* values = column.read(begin, count, buffer.data());
    into.col(at++).head(count) = Eigen::Map<const Eigen::VectorXd>(values, count);
  }
}

void Controls::read_row(Eigen::Index row, Eigen::Index at, RowMatrix& into) const {
  into.row(at).setZero();
  for (const Eigen::Index level : levels(row)) {
    into(at, level) = 1;
  }
  Eigen::Index j = width_ - static_cast<Eigen::Index>(columns_.size());
  for (const Column& column : columns_) {
    into(at, j++) = column[row];
  }
}

/// Which controls are 1 in a row, by its margins.
std::vector<Eigen::Index> Controls::levels(Eigen::Index row) const {
  std::vector<Eigen::Index> result;
  Eigen::Index at = 0;
  for (const Codes& margin : margins_) {
    if (margin[row] >= 0) {
      result.push_back(at + margin[row]);
    }
    at += margin.levels();
  }
  return result;
}

/// Of margins alone: few of the products are not 0.
void Controls::add_products(Eigen::Index row, double factor, Eigen::MatrixXd& sum) const {
  const std::vector<Eigen::Index> own = levels(row);
  for (std::size_t i = 0; i < own.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      sum(own[i], own[j]) += factor;
    }
  }
}

RowMatrix Controls::totals(const Eigen::VectorXd& factor, int threads) const {
  const Eigen::Index segments = segment_count(rows_, groups() * width_);
  std::vector<RowMatrix> parts(static_cast<std::size_t>(segments),
                               RowMatrix::Zero(groups(), width_));
  parallel_for(segments, threads, [&](Eigen::Index s) {
    RowMatrix& sum = parts[static_cast<std::size_t>(s)];
    const Eigen::Index end = rows_ * (s + 1) / segments;
    if (of_margins()) {
      for (Eigen::Index row = rows_ * s / segments; row < end; ++row) {
        const std::int32_t g = group(row);
        for (const Eigen::Index level : levels(row)) {
          g >= 0 ? sum(g, level) += factor[row] : 0;
        }
      }
      return;
    }
    RowMatrix x(kBlockRows, width_);
    for (Eigen::Index begin = rows_ * s / segments; begin < end; begin += kBlockRows) {
      const Eigen::Index count = std::min(kBlockRows, end - begin);
      read(begin, count, x);
      if (groups_.size() == 0) {
        sum.row(0) += factor.segment(begin, count).transpose() * x.topRows(count);
        continue;
      }
      for (Eigen::Index i = 0; i < count; ++i) {
        if (const std::int32_t g = groups_[begin + i]; g >= 0) {
          sum.row(g) += factor[begin + i] * x.row(i);
        }
      }
    }
  });
  for (std::size_t s = 1; s < parts.size(); ++s) {
    parts.front() += parts[s];
  }
  return std::move(parts.front());
}

std::vector<Eigen::MatrixXd> Controls::products(const Eigen::VectorXd& factor, int threads) const {
  using Products = std::vector<Eigen::MatrixXd>;
  const Products zero(static_cast<std::size_t>(groups()), Eigen::MatrixXd::Zero(width_, width_));
  const Eigen::Index segments = segment_count(rows_, groups() * width_ * width_);
  std::vector<Products> parts(static_cast<std::size_t>(segments), zero);
  parallel_for(segments, threads, [&](Eigen::Index s) {
    Products& sum = parts[static_cast<std::size_t>(s)];
    const Eigen::Index end = rows_ * (s + 1) / segments;
    if (of_margins()) {
      for (Eigen::Index row = rows_ * s / segments; row < end; ++row) {
        if (const std::int32_t g = group(row); g >= 0) {
          add_products(row, factor[row], sum[static_cast<std::size_t>(g)]);
        }
      }
      return;
    }
    RowMatrix x(kBlockRows, width_);
    for (Eigen::Index begin = rows_ * s / segments; begin < end; begin += kBlockRows) {
      const Eigen::Index count = std::min(kBlockRows, end - begin);
      read(begin, count, x);
      if (groups_.size() == 0) {
        const RowMatrix scaled = factor.segment(begin, count).asDiagonal() * x.topRows(count);
        sum.front().triangularView<Eigen::Lower>() += scaled.transpose() * x.topRows(count);
        continue;
      }
      for (Eigen::Index i = 0; i < count; ++i) {
        if (const std::int32_t g = groups_[begin + i]; g >= 0) {
          sum[static_cast<std::size_t>(g)].selfadjointView<Eigen::Lower>().rankUpdate(
              x.row(i).transpose(), factor[begin + i]);
        }
      }
    }
  });
  for (std::size_t s = 1; s < parts.size(); ++s) {
    for (std::size_t g = 0; g < zero.size(); ++g) {
      parts.front()[g] += parts[s][g];
    }
  }
  return std::move(parts.front());
}

Eigen::VectorXd Controls::scores(const RowMatrix& b, int threads) const {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(rows_);
  const Eigen::Index blocks = (rows_ + kBlockRows - 1) / kBlockRows;
  parallel_for(blocks, threads, [&](Eigen::Index block) {
    const Eigen::Index begin = block * kBlockRows;
    const Eigen::Index count = std::min(kBlockRows, rows_ - begin);
    if (of_margins()) {
      for (Eigen::Index row = begin; row < begin + count; ++row) {
        for (const Eigen::Index level : levels(row)) {
          result[row] += group(row) >= 0 ? b(group(row), level) : 0;
        }
      }
      return;
    }
    RowMatrix x(count, width_);
    read(begin, count, x);
    if (groups_.size() == 0) {
      result.segment(begin, count) = x * b.row(0).transpose();
      return;
    }
    for (Eigen::Index i = 0; i < count; ++i) {
      if (const std::int32_t g = groups_[begin + i]; g >= 0) {
        result[begin + i] = x.row(i).dot(b.row(g));
      }
    }
  });
  return result;
}

Eigen::VectorXd Cells::sums(const Eigen::VectorXd& of_rows) const {
  if (of_row.size() == 0) {
    return of_rows;
  }
  Eigen::VectorXd result = Eigen::VectorXd::Zero(count());
  for (Eigen::Index row = 0; row < of_row.size(); ++row) {
    result[of_row[row]] += of_rows[row];
  }
  return result;
}

Cells cells_of(const Controls& controls) {
  if (!controls.of_margins()) {
    return {Codes(), controls};
  }
  // A missing level is one more level here: it must not cost the row its other margins.
  std::vector<Codes> complete;
  const auto complete_codes = [&](std::int32_t levels, const auto& code) {
    std::vector<std::int32_t> codes(static_cast<std::size_t>(controls.rows()));
    for (std::size_t row = 0; row < codes.size(); ++row) {
      const std::int32_t own = code(static_cast<Eigen::Index>(row));
      codes[row] = own < 0 ? levels : own;
    }
    complete.emplace_back(std::move(codes), levels + 1);
  };
  for (const Codes& margin : controls.margins()) {
    complete_codes(margin.levels(), [&](Eigen::Index row) { return margin[row]; });
  }
  complete_codes(static_cast<std::int32_t>(controls.groups()),
                 [&](Eigen::Index row) { return controls.group(row); });
  const Crossing crossed = cross(complete, {}, controls.rows());
  std::vector<Codes> of_cells;
  for (std::size_t m = 0; m < complete.size(); ++m) {
    const std::int32_t levels = complete[m].levels() - 1;
    std::vector<std::int32_t> codes;
    for (const std::int32_t code : crossed.combinations.col(static_cast<Eigen::Index>(m))) {
      codes.push_back(code == levels ? Codes::kNone : code);
    }
    of_cells.emplace_back(std::move(codes), levels);
  }
  const Codes groups = of_cells.back();
  of_cells.pop_back();
  return {crossed.codes, Controls(std::move(of_cells), {}, groups)};
}

Cells cells_of_clusters(const Controls& controls, const Codes& clusters,
                        const Eigen::VectorXd& weights) {
  const Eigen::Index count = clusters.levels();
  auto mean = std::make_shared<Eigen::MatrixXd>(Eigen::MatrixXd::Zero(count, controls.width()));
  Eigen::VectorXd weight = Eigen::VectorXd::Zero(count);
  std::vector<std::int32_t> group(static_cast<std::size_t>(count), Codes::kNone);
  RowMatrix x(kBlockRows, controls.width());
  for (Eigen::Index begin = 0; begin < controls.rows(); begin += kBlockRows) {
    const Eigen::Index rows = std::min(kBlockRows, controls.rows() - begin);
    controls.read(begin, rows, x);
    for (Eigen::Index i = 0; i < rows; ++i) {
      const std::int32_t cluster = clusters[begin + i];
      std::int32_t& own = group[static_cast<std::size_t>(cluster)];
      if (own >= 0 && own != controls.group(begin + i)) {
        throw std::invalid_argument("a cluster has rows in two groups of controls");
      }
      own = controls.group(begin + i);
      mean->row(cluster) += weights[begin + i] * x.row(i);
      weight[cluster] += weights[begin + i];
    }
  }
  std::vector<Column> columns;
  for (Eigen::Index j = 0; j < controls.width(); ++j) {
    for (Eigen::Index c = 0; c < count; ++c) {
      (*mean)(c, j) = weight[c] > 0 ? (*mean)(c, j) / weight[c] : 0;
    }
    columns.emplace_back("", Column::Type::kFloat64, mean->col(j).data(), count, mean);
  }
  const auto groups = static_cast<std::int32_t>(controls.groups());
  return {clusters, Controls({}, std::move(columns), Codes(std::move(group), groups))};
}

}  // namespace steelyard
