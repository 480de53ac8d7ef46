#include "steelyard/table_test.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/matrix.hpp"

namespace steelyard {
namespace {

using Indices = std::vector<Eigen::Index>;

void check(const TableEstimates& table) {
  const Eigen::Index size = table.rows * table.columns;
  if (size == 0 || table.cells.size() != size || table.covariance.rows() != size ||
      table.covariance.cols() != size) {
    throw std::invalid_argument(
        "table: cells and both sides of their covariance must be rows times columns");
  }
  if (!table.cells.allFinite() || !table.covariance.allFinite()) {
    throw std::invalid_argument("table: a cell or a covariance is not a finite number");
  }
  if ((table.cells.array() < 0).any()) {
    throw std::invalid_argument("table: a cell is negative");
  }
  if (!(table.degrees_of_freedom > 0)) {
    throw std::invalid_argument("table: degrees of freedom must be positive");
  }
}

void check_n(const TableEstimates& table) {
  if (!(table.n > 0) || std::isinf(table.n)) {
    throw std::invalid_argument("table: n must be positive and finite");
  }
}

/// A table without empty rows and columns, and its margins.
struct Margins {
  TableEstimates table;
  Eigen::VectorXd rows;
  Eigen::VectorXd columns;
  double total;
  std::int64_t rows_dropped;
  std::int64_t columns_dropped;

  Eigen::Index size() const { return table.cells.size(); }
  Eigen::Index row(Eigen::Index cell) const { return cell / table.columns; }
  Eigen::Index column(Eigen::Index cell) const { return cell % table.columns; }
  double expected(Eigen::Index cell) const {
    return rows(row(cell)) * columns(column(cell)) / total;
  }
};

Eigen::Map<const RowMatrix> as_matrix(const TableEstimates& table) {
  return {table.cells.data(), table.rows, table.columns};
}

Indices not_empty(const Eigen::VectorXd& margin) {
  Indices kept;
  for (Eigen::Index i = 0; i < margin.size(); ++i) {
    if (margin(i) > 0) {
      kept.push_back(i);
    }
  }
  return kept;
}

Margins margins_of(const TableEstimates& given) {
  check(given);
  const Indices rows = not_empty(as_matrix(given).rowwise().sum());
  const Indices columns = not_empty(as_matrix(given).colwise().sum());
  if (rows.size() < 2 || columns.size() < 2) {
    throw std::invalid_argument(
        "table: independence needs at least two rows and two columns that are not empty");
  }
  Indices cells;
  for (const Eigen::Index i : rows) {
    for (const Eigen::Index j : columns) {
      cells.push_back(i * given.columns + j);
    }
  }
  TableEstimates table{static_cast<Eigen::Index>(rows.size()),
                       static_cast<Eigen::Index>(columns.size()),
                       given.cells(cells),
                       given.covariance(cells, cells),
                       given.n,
                       given.degrees_of_freedom};
  Margins margins{std::move(table), {}, {}, given.cells.sum(), 0, 0};
  margins.rows = as_matrix(margins.table).rowwise().sum();
  margins.columns = as_matrix(margins.table).colwise().sum();
  margins.rows_dropped = given.rows - margins.table.rows;
  margins.columns_dropped = given.columns - margins.table.columns;
  return margins;
}

/// X2 or G2 per answer: of cells against those expected, as shares of their total.
double divergence(const Eigen::VectorXd& cells, const Eigen::VectorXd& expected, double total,
                  TableStatistic statistic) {
  const Eigen::VectorXd difference = cells - expected;
  if (statistic == TableStatistic::kPearson) {
    return difference.cwiseAbs2().cwiseQuotient(expected).sum() / total;
  }
  // The differences sum to 0: with them no term is negative, and those of small ones cancel less.
  double sum = 0;
  for (Eigen::Index i = 0; i < cells.size(); ++i) {
    const double logarithm = cells(i) > 0 ? std::log1p(difference(i) / expected(i)) : 0;
    sum += cells(i) * logarithm - difference(i);
  }
  return 2 * std::max(0.0, sum) / total;
}

/// Covariance of cells / total, by the delta method.
Eigen::MatrixXd proportion_covariance(const Margins& margins) {
  const Eigen::Index size = margins.size();
  const Eigen::VectorXd proportions = margins.table.cells / margins.total;
  const Eigen::MatrixXd jacobian =
      (Eigen::MatrixXd::Identity(size, size) - proportions * Eigen::RowVectorXd::Ones(size)) /
      margins.total;
  return jacobian * margins.table.covariance * jacobian.transpose();
}

/// A basis of the tables whose rows and columns sum to 0: cells x interactions.
Eigen::MatrixXd interactions(Eigen::Index rows, Eigen::Index columns) {
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(rows * columns, (rows - 1) * (columns - 1));
  for (Eigen::Index i = 1; i < rows; ++i) {
    for (Eigen::Index j = 1; j < columns; ++j) {
      const Eigen::Index k = (i - 1) * (columns - 1) + j - 1;
      basis(0, k) = 1;
      basis(j, k) = -1;
      basis(i * columns, k) = -1;
      basis(i * columns + j, k) = 1;
    }
  }
  return basis;
}

/// Do empty cells hold a table, not 0, whose rows and columns sum to 0? They do when they, as edges
/// between rows and columns, close a circle.
bool enclose_interaction(const Margins& margins) {
  const TableEstimates& table = margins.table;
  Indices parent(static_cast<std::size_t>(table.rows + table.columns));
  std::iota(parent.begin(), parent.end(), Eigen::Index{0});
  const auto root = [&](Eigen::Index node) {
    while (parent[static_cast<std::size_t>(node)] != node) {
      node = parent[static_cast<std::size_t>(node)];
    }
    return node;
  };
  for (Eigen::Index cell = 0; cell < margins.size(); ++cell) {
    if (table.cells(cell) > 0) {
      continue;
    }
    const Eigen::Index row = root(margins.row(cell));
    const Eigen::Index column = root(table.rows + margins.column(cell));
    if (row == column) {
      return true;
    }
    parent[static_cast<std::size_t>(row)] = column;
  }
  return false;
}

/// Largest first; what rounding made negative is 0.
Eigen::VectorXd descending(const Eigen::VectorXd& ascending) {
  return ascending.reverse().cwiseMax(0.0);
}

Eigen::VectorXd design_effects(const Margins& margins, const Eigen::VectorXd& at) {
  const Eigen::VectorXd inverse =
      (at.array() > 0).select(margins.total * at.cwiseInverse(), Eigen::VectorXd::Zero(at.size()));
  const Eigen::MatrixXd basis = interactions(margins.table.rows, margins.table.columns);
  const Eigen::MatrixXd weighted = inverse.asDiagonal() * basis;
  const Eigen::MatrixXd simple = basis.transpose() * weighted;
  const Eigen::MatrixXd survey = weighted.transpose() * proportion_covariance(margins) * weighted;
  const Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd> eigen(survey, simple,
                                                                        Eigen::EigenvaluesOnly);
  return margins.table.n * descending(eigen.eigenvalues());
}

/// N_ij - N_i. N_.j / N of all rows and columns but the first, and its Jacobian by the cells.
struct Residuals {
  Eigen::VectorXd values;
  Eigen::MatrixXd jacobian;
};

Residuals residuals_of(const Margins& margins) {
  const Eigen::Index columns = margins.table.columns;
  const Eigen::Index size = (margins.table.rows - 1) * (columns - 1);
  Residuals residuals{Eigen::VectorXd(size), Eigen::MatrixXd::Zero(size, margins.size())};
  Eigen::Index k = 0;
  for (Eigen::Index cell = columns; cell < margins.size(); ++cell) {
    if (margins.column(cell) == 0) {
      continue;
    }
    residuals.values(k) = margins.table.cells(cell) - margins.expected(cell);
    const double row_share = margins.rows(margins.row(cell)) / margins.total;
    const double column_share = margins.columns(margins.column(cell)) / margins.total;
    for (Eigen::Index by = 0; by < margins.size(); ++by) {
      residuals.jacobian(k, by) = (by == cell ? 1 : 0) + row_share * column_share -
                                  (margins.row(by) == margins.row(cell) ? column_share : 0) -
                                  (margins.column(by) == margins.column(cell) ? row_share : 0);
    }
    ++k;
  }
  return residuals;
}

}  // namespace

TableTest independence_test(const TableEstimates& table, TableStatistic statistic,
                            RaoScott correction) {
  const Margins margins = margins_of(table);
  check_n(table);
  Eigen::VectorXd expected(margins.size());
  for (Eigen::Index cell = 0; cell < margins.size(); ++cell) {
    expected(cell) = margins.expected(cell);
  }
  TableTest test{};
  test.rows_dropped = margins.rows_dropped;
  test.columns_dropped = margins.columns_dropped;
  test.at_fitted = enclose_interaction(margins);
  test.design_effects = design_effects(margins, test.at_fitted ? expected : margins.table.cells);
  test.uncorrected = table.n * divergence(margins.table.cells, expected, margins.total, statistic);
  test.result =
      rao_scott_test(test.uncorrected, test.design_effects, table.degrees_of_freedom, correction);
  return test;
}

TableTest wald_independence_test(const TableEstimates& table, WaldVariant variant) {
  const Margins margins = margins_of(table);
  const Residuals residuals = residuals_of(margins);
  const Eigen::MatrixXd covariance =
      residuals.jacobian * margins.table.covariance * residuals.jacobian.transpose();
  TableTest test{};
  test.uncorrected = std::numeric_limits<double>::quiet_NaN();
  test.rows_dropped = margins.rows_dropped;
  test.columns_dropped = margins.columns_dropped;
  test.result = wald_test(residuals.values, covariance, table.degrees_of_freedom, variant);
  return test;
}

TableTest goodness_of_fit_test(const TableEstimates& table, const Eigen::VectorXd& proportions,
                               TableStatistic statistic, RaoScott correction) {
  check(table);
  check_n(table);
  const Eigen::Index size = table.cells.size();
  const double total = table.cells.sum();
  if (size < 2 || (table.rows != 1 && table.columns != 1) || !(total > 0)) {
    throw std::invalid_argument(
        "table: goodness of fit needs one row of two or more cells that are not all empty");
  }
  if (proportions.size() != size || !proportions.allFinite() || !(proportions.array() > 0).all()) {
    throw std::invalid_argument(
        "table: goodness of fit needs a positive proportion for each category");
  }
  const Eigen::VectorXd given = proportions / proportions.sum();
  const Eigen::VectorXd expected = total * given;
  Eigen::MatrixXd jacobian = expected.cwiseSqrt().cwiseInverse().asDiagonal();
  const Eigen::VectorXd by_total =
      (table.cells + expected).array() / (2 * total * expected.array().sqrt());
  jacobian.colwise() -= by_total;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(
      jacobian * table.covariance * jacobian.transpose(), Eigen::EigenvaluesOnly);
  TableTest test{};
  test.design_effects = table.n / total * descending(eigen.eigenvalues()).head(size - 1);
  test.uncorrected = table.n * divergence(table.cells, expected, total, statistic);
  test.result =
      rao_scott_test(test.uncorrected, test.design_effects, table.degrees_of_freedom, correction);
  return test;
}

}  // namespace steelyard
