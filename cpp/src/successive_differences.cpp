#include "steelyard/successive_differences.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/hadamard.hpp"
#include "steelyard/replicated_units.hpp"

namespace steelyard {
namespace {

/// The first row of each unit of the first stage.
std::vector<Eigen::Index> first_rows(const Design& design) {
  std::vector<Eigen::Index> first(static_cast<std::size_t>(design.first().units()), design.rows());
  for (Eigen::Index row = design.rows() - 1; row >= 0; --row) {
    const Eigen::Index unit = design.rows_are_units() ? row : design.unit_of_row()[row];
    first[static_cast<std::size_t>(design.primary_of_unit(unit))] = row;
  }
  return first;
}

/// Rows of a Hadamard matrix but its first, in turn: each time round in steps of another length, so
/// that neighbours meet in new pairs.
class RowsInTurn {
 public:
  explicit RowsInTurn(Eigen::Index order) : rows_(order - 1) {}

  Eigen::Index next() {
    if (taken_ == rows_) {
      taken_ = 0;
      do {
        step_ = step_ % rows_ + 1;
      } while (std::gcd(step_, rows_) != 1);
    }
    return 1 + (taken_++ * step_) % rows_;
  }

 private:
  Eigen::Index rows_;
  Eigen::Index step_ = 1;
  Eigen::Index taken_ = 0;
};

}  // namespace

Replicates successive_differences(const Design& design, Eigen::Index replicates,
                                  bool about_estimate) {
  if (replicates < 4) {
    throw std::invalid_argument("four replicates or more are needed");
  }
  check_replicable(design, replicates);
  const SignMatrix signs = hadamard(replicates);
  const Eigen::Index count = signs.cols();
  const std::vector<Eigen::Index> first = first_rows(design);
  RowMatrix factors = RowMatrix::Ones(design.first().units(), count);
  RowsInTurn turn(count);
  for (std::vector<Eigen::Index>& units : units_by_stratum(design.first())) {
    if (units.size() < 2) {
      continue;
    }
    std::sort(units.begin(), units.end(), [&](Eigen::Index a, Eigen::Index b) {
      return first[static_cast<std::size_t>(a)] < first[static_cast<std::size_t>(b)];
    });
    std::vector<Eigen::Index> row(units.size());
    std::generate(row.begin(), row.end(), [&] { return turn.next(); });
    // The last unit is followed by the first: with the same row it would not vary.
    while (row.back() == row.front() || (row.size() > 2 && row.back() == row[row.size() - 2])) {
      row.back() = turn.next();
    }
    const double fraction = design.stratum(design.first().stratum_of_unit(units.front())).fraction;
    const double size = std::sqrt((1 - fraction) / 8);
    for (std::size_t i = 0; i < units.size(); ++i) {
      const auto own = signs.row(row[i]).cast<double>();
      const auto following = signs.row(row[(i + 1) % row.size()]).cast<double>();
      factors.row(units[i]) += size * (own - following);
    }
  }
  const double scale = 4 / static_cast<double>(count);
  return Replicates::of_units(spread_to_last_stage(design, std::move(factors)),
                              {Eigen::VectorXd::Constant(count, scale), about_estimate});
}

}  // namespace steelyard
