#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "steelyard/rao_scott.hpp"
#include "steelyard/wald_test.hpp"

namespace steelyard {

/// Estimates of the cells of a table: proportions of one whole, or totals.
struct TableEstimates {
  Eigen::Index rows = 0;
  Eigen::Index columns = 0;
  Eigen::VectorXd cells;          ///< rows * columns, row by row; none negative
  Eigen::MatrixXd covariance;     ///< of the cells, in their squared units
  double n = 0;                   ///< unweighted answers: the scale of X2 and G2, not of p
  double degrees_of_freedom = 0;  ///< of the design; may be infinite
};

enum class TableStatistic {
  kPearson,          ///< X2 = n sum((p - p0)^2 / p0)
  kLikelihoodRatio,  ///< G2 = 2 n sum(p log(p / p0)), where an empty cell adds 0
};

/// A test of a table, and what it rests on.
struct TableTest {
  TestResult result;
  double uncorrected;              ///< X2 or G2; not a number for Wald tests
  Eigen::VectorXd design_effects;  ///< generalised, largest first; empty for Wald tests
  std::int64_t rows_dropped = 0;   ///< empty rows of the table, which were left out
  std::int64_t columns_dropped = 0;
  /// The design effects were taken at the fitted and not at the observed proportions.
  bool at_fitted = false;
};

/// Are rows and columns independent? p0 is the product of the margins' proportions.
///
/// The design effects are the eigenvalues of n (C' D^-1 C)^-1 (C' D^-1 V D^-1 C), where the columns
/// of C are a basis of tables whose rows and columns sum to 0, D holds the observed proportions and
/// V is their covariance. Totals are first made proportions, by the delta method. Empty cells are
/// left out of D^-1, as in R; where they enclose an interaction, so that C' D^-1 C has no inverse,
/// D holds the fitted proportions p0 instead, and `at_fitted` says so.
///
/// Empty rows and columns are left out and counted.
/// Reference: Rao & Scott (1984), Annals of Statistics 12.
/// @throws std::invalid_argument when sizes differ, a number is not finite, a cell is negative,
///         n or degrees of freedom are not positive, fewer than two rows or columns are not
///         empty, or the table has no sampling error.
TableTest independence_test(const TableEstimates& table, TableStatistic statistic,
                            RaoScott correction);

/// The same by the Wald test that the residuals N_ij - N_i. N_.j / N of all rows and columns but
/// the first are 0.
///
/// N_ij are the cells as given. The hypothesis is the same for totals as for proportions, but the
/// test is not: R's svychisq ("Wald", "adjWald") is that of totals. They agree where the sum of
/// weights is not random.
/// Reference: Koch, Freeman & Freeman (1975), Int Stat Review 43; see wald_test for the variants.
/// @throws std::invalid_argument as independence_test and wald_test. `n` is not needed.
TableTest wald_independence_test(const TableEstimates& table, WaldVariant variant);

/// Are the proportions of k categories those given?
///
/// p0 are `proportions` over their sum. The design effects are the k - 1 largest eigenvalues of
/// n / N times the covariance of (N_i - p0_i N) / sqrt(p0_i N), which for proportions (N = 1) are
/// those of n D0^-1 V. With totals and kSecondOrder it is R's svygofchisq. An empty category
/// stays: it is evidence.
/// @param table  one row or one column of k cells
/// Reference: Rao & Scott (1981), JASA 76.
/// @throws std::invalid_argument as independence_test, or when there are fewer than two
///         categories or a given proportion is not positive.
TableTest goodness_of_fit_test(const TableEstimates& table, const Eigen::VectorXd& proportions,
                               TableStatistic statistic, RaoScott correction);

}  // namespace steelyard
