#include "steelyard/cross_products.hpp"

#include <algorithm>
#include <cmath>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Centred influence values of the rows of one stratum and domain: their sum (nearly 0) and the
/// sum of their products.
struct Cell {
  Eigen::VectorXd sum;
  Eigen::MatrixXd products;  // lower triangle
};

/// The influence values of one row on all estimates of its domain, each feature centred at its
/// mean in the row's stratum and domain so that their products do not cancel.
class CentredInfluence {
 public:
  CentredInfluence(const Design& design, const Domains& domains, std::span<const Term> terms)
      : design_(design), domains_(domains), terms_(terms) {
    const Eigen::Index cells = design.strata() * domains.count();
    rows_.setZero(cells);
    if (!terms.empty()) {
      const auto& first = terms.front().sums;
      rows_ = (first.used + first.missing).reshaped<Eigen::RowMajor>().cast<double>();
    }
    for (const Term& term : terms) {
      estimates_ += term.estimator->estimates();
      columns_ += static_cast<Eigen::Index>(term.estimator->columns().size());
      widest_ = std::max(widest_, term.sums.features);
      RowMatrix mean = term.sums.by_group.reshaped<Eigen::RowMajor>(cells, term.sums.features);
      for (Eigen::Index cell = 0; cell < cells; ++cell) {
        mean.row(cell) /= std::max(1.0, rows_[cell]);
      }
      mean_.push_back(std::move(mean));
    }
  }

  Eigen::Index estimates() const { return estimates_; }
  double rows(Eigen::Index cell) const { return rows_[cell]; }

  /// Mean influence of a cell's rows.
  Eigen::VectorXd mean(Eigen::Index h, Eigen::Index d) const {
    Eigen::VectorXd result(estimates_);
    Eigen::Index at = 0;
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      const Eigen::VectorXd features = mean_[t].row(h * domains_.count() + d).transpose();
      at = apply(terms_[t], h, d, features, result, at);
    }
    return result;
  }

  /// Reads what rows [begin, begin + count) hold.
  void load(Eigen::Index begin, Eigen::Index count, RowMatrix& buffer,
            std::vector<const double*>& columns) const {
    columns.clear();
    for (const Term& term : terms_) {
      for (const Column& column : term.estimator->columns()) {
        const auto j = static_cast<Eigen::Index>(columns.size());
        columns.push_back(column.read(begin, count, buffer.row(j).data()));
      }
    }
  }

  /// @param row, i the row, and its place in the loaded block.
  void influence(Eigen::Index row, Eigen::Index i, const std::vector<const double*>& columns,
                 double weight, Eigen::Index h, Eigen::Index d, Eigen::VectorXd& scratch,
                 Eigen::VectorXd& result) const {
    Eigen::Index at = 0;
    const double* const* column = columns.data();
    const Eigen::Index cell = h * domains_.count() + d;
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      auto features = scratch.head(terms_[t].sums.features);
      features = -mean_[t].row(cell).transpose();
      add_features(terms_[t], row, i, column, weight, cell, features);
      column += terms_[t].estimator->columns().size();
      at = apply(terms_[t], h, d, features, result, at);
    }
  }

  Eigen::Index columns() const { return columns_; }
  Eigen::Index widest() const { return widest_; }

 private:
  const Design& design_;
  const Domains& domains_;
  std::span<const Term> terms_;
  std::vector<RowMatrix> mean_;
  Eigen::VectorXd rows_;
  Eigen::Index estimates_ = 0;
  Eigen::Index columns_ = 0;
  Eigen::Index widest_ = 1;

  Eigen::Index apply(const Term& term, Eigen::Index h, Eigen::Index d,
                     const Eigen::Ref<const Eigen::VectorXd>& features, Eigen::VectorXd& result,
                     Eigen::Index at) const {
    const Eigen::MatrixXd& gradient =
        term.linearised.by_domain[static_cast<std::size_t>(d)].gradient;
    result.segment(at, gradient.rows()).noalias() = gradient * features;
    if (term.linearised.intercept.size() > 0) {
      result.segment(at, gradient.rows()) +=
          term.linearised.intercept.row(h * domains_.count() + d).transpose() * features[0];
    }
    return at + gradient.rows();
  }

  static void add_features(const Term& term, Eigen::Index row, Eigen::Index i,
                           const double* const* column, double weight, Eigen::Index cell,
                           Eigen::Ref<Eigen::VectorXd> features) {
    if (term.estimator->of_levels()) {
      const std::int32_t level = term.estimator->levels()[row];
      if (level >= 0) {
        features[level] += weight;
      }
      return;
    }
    const Eigen::Index q = features.size() - 1;
    for (Eigen::Index j = 0; j < q; ++j) {
      if (std::isnan(column[j][i])) {
        return;
      }
    }
    features[0] += weight;
    for (Eigen::Index j = 0; j < q; ++j) {
      features[1 + j] += weight * (column[j][i] - term.sums.centre(cell, j));
    }
  }
};

std::vector<Cell> empty_cells(Eigen::Index cells, Eigen::Index estimates) {
  return std::vector<Cell>(
      static_cast<std::size_t>(cells),
      {Eigen::VectorXd::Zero(estimates), Eigen::MatrixXd::Zero(estimates, estimates)});
}

std::vector<Cell> products_by_cell(const Design& design, const Domains& domains,
                                   const CentredInfluence& influence, int threads) {
  const Eigen::Index cells = design.strata() * domains.count();
  const Eigen::Index estimates = influence.estimates();
  const Eigen::Index segments = segment_count(design.rows(), cells * estimates * (estimates + 1));
  std::vector<std::vector<Cell>> parts(static_cast<std::size_t>(segments));
  parallel_for(segments, threads, [&](Eigen::Index s) {
    std::vector<Cell> mine = empty_cells(cells, estimates);
    Eigen::VectorXd z(estimates);
    Eigen::VectorXd scratch(influence.widest());
    std::vector<double> weights(static_cast<std::size_t>(kBlockRows));
    RowMatrix buffer(std::max<Eigen::Index>(1, influence.columns()), kBlockRows);
    std::vector<const double*> columns;
    const Eigen::Index end = design.rows() * (s + 1) / segments;
    for (Eigen::Index from = design.rows() * s / segments; from < end; from += kBlockRows) {
      const Eigen::Index count = std::min(kBlockRows, end - from);
      const double* weight = design.weights(from, count, weights.data());
      influence.load(from, count, buffer, columns);
      for (Eigen::Index i = 0; i < count; ++i) {
        const Eigen::Index row = from + i;
        const Eigen::Index d = domains.codes.size() == 0 ? 0 : domains.codes[row];
        if (d < 0 || !(weight[i] > 0)) {
          continue;
        }
        const Eigen::Index h = design.stratum_of_unit(row);
        influence.influence(row, i, columns, weight[i], h, d, scratch, z);
        Cell& cell = mine[static_cast<std::size_t>(h * domains.count() + d)];
        cell.sum += z;
        for (Eigen::Index j = 0; j < estimates; ++j) {
          for (Eigen::Index k = 0; k <= j; ++k) {
            cell.products(j, k) += z[j] * z[k];
          }
        }
      }
    }
    parts[static_cast<std::size_t>(s)] = std::move(mine);
  });
  std::vector<Cell> total = std::move(parts.front());
  for (std::size_t s = 1; s < parts.size(); ++s) {
    for (std::size_t c = 0; c < total.size(); ++c) {
      total[c].sum += parts[s][c].sum;
      total[c].products += parts[s][c].products;
    }
  }
  return total;
}

}  // namespace

Eigen::MatrixXd element_covariance(const Design& design, const Domains& domains,
                                   std::span<const Term> terms, int threads) {
  const CentredInfluence influence(design, domains, terms);
  const std::vector<Cell> cells = products_by_cell(design, domains, influence, threads);
  const Eigen::Index width = domains.count();
  const Eigen::Index estimates = influence.estimates();
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(width * estimates, width * estimates);
  for (Eigen::Index h = 0; h < design.strata(); ++h) {
    const double scale = design.scale(h);
    const auto n = static_cast<double>(design.stratum(h).units);
    // Mean influence of each domain's rows in the stratum, and their number.
    Eigen::VectorXd mean(width * estimates);
    Eigen::VectorXd rows(width * estimates);
    for (Eigen::Index d = 0; d < width; ++d) {
      const Eigen::Index c = h * width + d;
      const Cell& cell = cells[static_cast<std::size_t>(c)];
      const double in = influence.rows(c);
      const Eigen::VectorXd residual = cell.sum / std::max(1.0, in);
      mean.segment(d * estimates, estimates) = influence.mean(h, d) + residual;
      rows.segment(d * estimates, estimates).setConstant(in);
      auto block = covariance.block(d * estimates, d * estimates, estimates, estimates);
      const Eigen::MatrixXd within = cell.products.selfadjointView<Eigen::Lower>();
      const auto m = mean.segment(d * estimates, estimates);
      // Rows outside the domain have no influence: the second term is their distance from it.
      block += scale * (within - in * residual * residual.transpose() +
                        in * (n - in) / n * m * m.transpose());
    }
    const Eigen::VectorXd sum = rows.cwiseProduct(mean);
    for (Eigen::Index d = 0; d < width; ++d) {
      for (Eigen::Index e = 0; e < width; ++e) {
        if (d != e) {
          covariance.block(d * estimates, e * estimates, estimates, estimates) -=
              scale / n * sum.segment(d * estimates, estimates) *
              sum.segment(e * estimates, estimates).transpose();
        }
      }
    }
  }
  return covariance;
}

}  // namespace steelyard
