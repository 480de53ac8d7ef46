#pragma once

#include <span>
#include <vector>

#include "steelyard/influence.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/weighting.hpp"

namespace steelyard {

/// Brings influence totals by the final weights back through all steps of weighting, to what they
/// are by the weights of the design.
///
/// From the last step to the first, each takes from the influence of a row what the step's own
/// parameters would follow of it (Projection).
class ProjectionChain {
 public:
  /// @param unit_of_row of rows of the design; empty where rows are units.
  ProjectionChain(const Weighting& weighting, const Codes& unit_of_row, Eigen::Index units);

  const Weighting& weighting() const { return weighting_; }

  /// Influence of the totals that each link meets on estimates: (groups * controls) x (domains *
  /// estimates of all terms).
  using Coefficients = std::vector<RowMatrix>;
  Coefficients coefficients(const Design& design, const Domains& domains,
                            std::span<const Term> terms, Eigen::Index estimates, int threads) const;
  /// @param totals units x (domains * estimates of all terms), in place.
  void apply(const Design& design, const Coefficients& b, RowMatrix& totals, int threads) const;
  /// What the error of totals that are estimates themselves adds to deviations.
  void add_errors_of_totals(const Coefficients& b, Deviations& deviations) const;
  bool has_errors_of_totals() const;

 private:
  /// One step that has parameters.
  struct Link {
    const Projection* projection;
    Eigen::VectorXd pull;  ///< of each row's influence after all steps; see Projection
    RowMatrix by_unit;     ///< units x (groups * controls): sums of moves; empty: rows are units
    std::vector<Eigen::MatrixXd> later;  ///< of the links after it: sum of pull x moves^T

    Eigen::Index width() const { return projection->cells.controls.width(); }
    Eigen::Index size() const { return width() * projection->cells.controls.groups(); }
    /// Where a row's group begins among the controls of all; -1: it has none.
    Eigen::Index at(Eigen::Index row) const;
    /// x of rows [begin, begin + count).
    void read(Eigen::Index begin, Eigen::Index count, RowMatrix& x) const;
    /// Turns x into part * x - lift * shares.
    void move(const Eigen::VectorXd& part, Eigen::Index begin, Eigen::Index count,
              RowMatrix& x) const;
  };

  Weighting weighting_;
  std::vector<Link> links_;

  void relate(std::size_t step, Link& link) const;
  Eigen::MatrixXd relation(const Link& first, const Link& later,
                           const Eigen::VectorXd& between) const;
  void sum_by_unit(Link& link, const Codes& unit_of_row, Eigen::Index units) const;
  std::vector<RowMatrix> pull(const Design& design, const Domains& domains,
                              std::span<const Term> terms, Eigen::Index estimates,
                              int threads) const;
};

}  // namespace steelyard
