#include "steelyard/degrees_of_freedom.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <vector>

namespace steelyard {

Eigen::VectorXd satterthwaite(const Deviations& deviations) {
  if (!deviations.by_unit) {
    throw std::invalid_argument(
        "the sample has too many units to keep a deviation for each: use the degrees of freedom "
        "of the design");
  }
  std::unordered_map<std::uint64_t, Eigen::Index> position;
  std::vector<double> units;
  std::vector<Eigen::Index> stratum;
  for (std::size_t row = 0; row < deviations.strata.size(); ++row) {
    const auto [found, is_new] =
        position.emplace(deviations.strata[row], static_cast<Eigen::Index>(units.size()));
    if (is_new) {
      units.push_back(0);
    }
    stratum.push_back(found->second);
    units[static_cast<std::size_t>(found->second)] += deviations.counted[row] != 0 ? 1 : 0;
  }
  RowMatrix added =
      RowMatrix::Zero(static_cast<Eigen::Index>(units.size()), deviations.estimates());
  for (std::size_t row = 0; row < stratum.size(); ++row) {
    const auto at = static_cast<Eigen::Index>(row);
    const double sign = deviations.signs.size() == 0 ? 1 : deviations.signs[at];
    added.row(stratum[row]) += sign * deviations.matrix.row(at).cwiseAbs2();
  }
  Eigen::VectorXd spread = Eigen::VectorXd::Zero(deviations.estimates());
  for (std::size_t h = 0; h < units.size(); ++h) {
    spread += (added.row(static_cast<Eigen::Index>(h)).cwiseAbs2() / std::max(1.0, units[h] - 1))
                  .transpose();
  }
  const Eigen::VectorXd total = added.colwise().sum().transpose();
  Eigen::VectorXd result(total.size());
  for (Eigen::Index j = 0; j < total.size(); ++j) {
    result[j] = total[j] > 0 ? total[j] * total[j] / spread[j] : deviations.degrees_of_freedom;
  }
  return result;
}

}  // namespace steelyard
