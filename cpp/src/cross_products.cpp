#include "steelyard/cross_products.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Influence values of a block of rows on the estimates of their own domains, one row an estimate.
/// Each feature is centred at its mean in the row's stratum and domain, so that products of
/// influence values do not cancel.
class CentredTerm {
 public:
  CentredTerm(const Design& design, const Domains& domains, const Term& term,
              const Eigen::VectorXd& rows)
      : term_(term),
        features_(term.sums.features),
        estimates_(term.estimator->estimates()),
        mean_(rows.size(), term.sums.features),
        response_(rows.size(), estimates_ * term.sums.features),
        influence_(rows.size(), estimates_) {
    for (Eigen::Index h = 0; h < design.strata(); ++h) {
      for (Eigen::Index d = 0; d < domains.count(); ++d) {
        const Eigen::Index cell = h * domains.count() + d;
        mean_.row(cell) =
            term.sums.by_group.row(h).segment(d * features_, features_) / std::max(1.0, rows[cell]);
        RowMatrix gradient = term.linearised.by_domain[static_cast<std::size_t>(d)].gradient;
        if (term.linearised.intercept.size() > 0) {
          gradient.col(0) += term.linearised.intercept.row(cell).transpose();
        }
        response_.row(cell) = gradient.reshaped<Eigen::RowMajor>().transpose();
        influence_.row(cell) = (gradient * mean_.row(cell).transpose()).transpose();
      }
    }
  }

  Eigen::Index estimates() const { return estimates_; }
  Eigen::Index width() const { return term_.estimator->width(); }
  /// Mean influence of a cell's rows on each estimate of its domain.
  const RowMatrix& mean_influence() const { return influence_; }

  void read(const RowBlock& rows, const std::vector<Eigen::Index>& cells, const double* weight,
            RowMatrix& buffer, Eigen::Ref<RowMatrix> influence) const {
    if (term_.estimator->of_levels()) {
      read_levels(rows.begin, cells, weight, influence);
    } else {
      read_columns(rows, cells, weight, buffer, influence);
    }
  }

 private:
  const Term& term_;
  Eigen::Index features_;
  Eigen::Index estimates_;
  RowMatrix mean_;       // cells x features
  RowMatrix response_;   // cells x (estimates * features): the gradient at the stratum's centre
  RowMatrix influence_;  // cells x estimates

  void read_levels(Eigen::Index begin, const std::vector<Eigen::Index>& cells, const double* weight,
                   Eigen::Ref<RowMatrix> influence) const {
    const std::int32_t* levels = term_.estimator->levels().data() + begin;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      if (cells[i] < 0) {
        continue;
      }
      const double* response = response_.row(cells[i]).data();
      for (Eigen::Index j = 0; j < estimates_; ++j) {
        const double of_row = levels[i] < 0 ? 0 : weight[i] * response[j * features_ + levels[i]];
        influence(j, at) = of_row - influence_(cells[i], j);
      }
    }
  }

  void read_columns(const RowBlock& rows, const std::vector<Eigen::Index>& cells,
                    const double* weight, RowMatrix& buffer,
                    Eigen::Ref<RowMatrix> influence) const {
    std::vector<const double*> columns;
    term_.estimator->read(rows, buffer, columns);
    Eigen::VectorXd centred(features_);
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const Eigen::Index cell = cells[static_cast<std::size_t>(i)];
      if (cell < 0) {
        continue;
      }
      const double* mean = mean_.row(cell).data();
      const double* centre = term_.sums.centre.row(cell).data();
      bool present = true;
      for (const double* column : columns) {
        present = present && !std::isnan(column[i]);
      }
      const double w = present ? weight[i] : 0;
      centred[0] = w - mean[0];
      for (Eigen::Index f = 1; f < features_; ++f) {
        const double y = present ? columns[static_cast<std::size_t>(f - 1)][i] - centre[f - 1] : 0;
        centred[f] = w * y - mean[f];
      }
      const double* response = response_.row(cell).data();
      for (Eigen::Index j = 0; j < estimates_; ++j) {
        double value = 0;
        for (Eigen::Index f = 0; f < features_; ++f) {
          value += response[j * features_ + f] * centred[f];
        }
        influence(j, i) = value;
      }
    }
  }
};

/// For each stratum and domain: sums of centred influence values (nearly 0) and of their products.
struct CellSums {
  RowMatrix sum;       // cells x estimates
  RowMatrix products;  // cells x estimates^2, of which the lower triangles are filled

  CellSums(Eigen::Index cells, Eigen::Index estimates)
      : sum(RowMatrix::Zero(cells, estimates)),
        products(RowMatrix::Zero(cells, estimates * estimates)) {}

  void add(const std::vector<Eigen::Index>& cells, const RowMatrix& influence) {
    const Eigen::Index estimates = sum.cols();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i] < 0) {
        continue;
      }
      const double* z = influence.data() + i;
      const Eigen::Index step = influence.cols();
      double* total = sum.row(cells[i]).data();
      double* product = products.row(cells[i]).data();
      for (Eigen::Index j = 0; j < estimates; ++j) {
        const double mine = z[j * step];
        total[j] += mine;
        for (Eigen::Index k = 0; k <= j; ++k) {
          product[j * estimates + k] += mine * z[k * step];
        }
      }
    }
  }

  Eigen::MatrixXd product(Eigen::Index cell) const {
    const RowMatrix square = products.row(cell).reshaped<Eigen::RowMajor>(sum.cols(), sum.cols());
    return square.selfadjointView<Eigen::Lower>();
  }
};

CellSums sum_products(const Design& design, const Domains& domains,
                      const std::vector<CentredTerm>& terms, Eigen::Index estimates, int threads) {
  const Eigen::Index cells = design.strata() * domains.count();
  const Eigen::Index segments = segment_count(design.rows(), cells * estimates * (estimates + 1));
  std::vector<CellSums> parts(static_cast<std::size_t>(segments), CellSums(cells, estimates));
  Eigen::Index width = 0;
  for (const CentredTerm& term : terms) {
    width = std::max(width, term.width());
  }
  parallel_for(segments, threads, [&](Eigen::Index s) {
    RowMatrix influence(estimates, kBlockRows);
    RowMatrix buffer(width, kBlockRows);
    std::vector<double> weights(static_cast<std::size_t>(kBlockRows));
    std::vector<Eigen::Index> cell_of_row;
    const Eigen::Index end = design.rows() * (s + 1) / segments;
    for (Eigen::Index from = design.rows() * s / segments; from < end; from += kBlockRows) {
      const RowBlock rows = domains.block(from, std::min(kBlockRows, end - from));
      const double* weight = design.weights(from, rows.count, weights.data());
      cell_of_row.resize(static_cast<std::size_t>(rows.count));
      for (Eigen::Index i = 0; i < rows.count; ++i) {
        const Eigen::Index d = rows.domain_of(i);
        const Eigen::Index h = design.stratum_of_unit(from + i);
        cell_of_row[static_cast<std::size_t>(i)] =
            d >= 0 && weight[i] > 0 ? h * domains.count() + d : -1;
      }
      Eigen::Index at = 0;
      for (const CentredTerm& term : terms) {
        term.read(rows, cell_of_row, weight, buffer, influence.middleRows(at, term.estimates()));
        at += term.estimates();
      }
      parts[static_cast<std::size_t>(s)].add(cell_of_row, influence);
    }
  });
  for (std::size_t s = 1; s < parts.size(); ++s) {
    parts.front().sum += parts[s].sum;
    parts.front().products += parts[s].products;
  }
  return std::move(parts.front());
}

/// Adds one stratum's part of the covariance.
/// @param in rows in each domain; @param mean their mean influence, domains x estimates.
void add_stratum(double scale, double n, const Eigen::VectorXd& in, const RowMatrix& mean,
                 const std::vector<Eigen::MatrixXd>& within, Eigen::MatrixXd& covariance) {
  const Eigen::Index p = mean.cols();
  for (Eigen::Index d = 0; d < mean.rows(); ++d) {
    // Rows outside the domain have no influence: the second term is their distance from it.
    covariance.block(d * p, d * p, p, p) +=
        scale * (within[static_cast<std::size_t>(d)] +
                 in[d] * (n - in[d]) / n * mean.row(d).transpose() * mean.row(d));
    for (Eigen::Index e = 0; e < mean.rows(); ++e) {
      if (e != d) {
        covariance.block(d * p, e * p, p, p) -=
            scale * in[d] * in[e] / n * mean.row(d).transpose() * mean.row(e);
      }
    }
  }
}

}  // namespace

Eigen::MatrixXd element_covariance(const Design& design, const Domains& domains,
                                   std::span<const Term> terms, int threads) {
  const Eigen::Index width = domains.count();
  const FeatureSums& first = terms.front().sums;
  const Eigen::VectorXd rows =
      (first.used + first.missing).reshaped<Eigen::RowMajor>().cast<double>();
  std::vector<CentredTerm> centred;
  Eigen::Index estimates = 0;
  for (const Term& term : terms) {
    centred.emplace_back(design, domains, term, rows);
    estimates += term.estimator->estimates();
  }
  const CellSums sums = sum_products(design, domains, centred, estimates, threads);
  RowMatrix mean(rows.size(), estimates);
  Eigen::Index at = 0;
  for (const CentredTerm& term : centred) {
    mean.middleCols(at, term.estimates()) = term.mean_influence();
    at += term.estimates();
  }
  const RowMatrix residual = sums.sum.array().colwise() / rows.cwiseMax(1.0).array();
  mean += residual;
  // Influence added over all rows, by domain: what a lonely unit is centred at.
  RowMatrix overall = RowMatrix::Zero(width, estimates);
  for (Eigen::Index cell = 0; cell < rows.size(); ++cell) {
    overall.row(cell % width) += rows[cell] * mean.row(cell) / static_cast<double>(design.units());
  }
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(width * estimates, width * estimates);
  for (Eigen::Index h = 0; h < design.strata(); ++h) {
    if (design.stratum(h).units == 0) {
      continue;
    }
    const Eigen::VectorXd in = rows.segment(h * width, width);
    const RowMatrix mine = mean.middleRows(h * width, width);
    if (design.stratum(h).lonely && design.options().lonely == Lonely::kAdjust) {
      const RowMatrix apart = in.asDiagonal() * mine - overall;
      const Eigen::VectorXd vector = apart.reshaped<Eigen::RowMajor>();
      covariance += design.first().stratum_scale(h) * vector * vector.transpose();
      continue;
    }
    std::vector<Eigen::MatrixXd> within;
    for (Eigen::Index d = 0; d < width; ++d) {
      const auto off = residual.row(h * width + d);
      within.push_back(sums.product(h * width + d) - in[d] * off.transpose() * off);
    }
    add_stratum(design.first().stratum_scale(h), static_cast<double>(design.stratum(h).units), in,
                mine, within, covariance);
  }
  return covariance;
}

}  // namespace steelyard
