#include "steelyard/change.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// A change, and its derivatives by what was after and before.
struct Step {
  double value;
  double by_after;
  double by_before;
};

/// Both side by side, as two samples of one population.
Estimates compared(const Estimates& first, const Estimates& second) {
  return join(first, {second.values, without_chance(first.deviations, second.deviations)});
}

double log_odds(double share) { return std::log(share / (1 - share)); }

Step step(double before, double after, ChangeKind kind) {
  const double ratio = after / before;
  switch (kind) {
    case ChangeKind::kDifference:
      return {after - before, 1, -1};
    case ChangeKind::kRatio:
      return {ratio, 1 / before, -ratio / before};
    case ChangeKind::kRelative:
      return {ratio - 1, 1 / before, -ratio / before};
    case ChangeKind::kLogOdds:
      return {log_odds(after) - log_odds(before), 1 / (after * (1 - after)),
              -1 / (before * (1 - before))};
  }
  throw std::invalid_argument("unknown kind of change");
}

}  // namespace

Estimates change(const Estimates& before, const Estimates& after, ChangeKind kind) {
  const Eigen::Index size = after.size();
  if (before.size() != size) {
    throw std::invalid_argument("a change is between as many estimates before as after");
  }
  Eigen::VectorXd values(size);
  Eigen::MatrixXd jacobian = Eigen::MatrixXd::Zero(size, 2 * size);
  for (Eigen::Index i = 0; i < size; ++i) {
    Step found = step(before.values[i], after.values[i], kind);
    if (!(std::isfinite(found.value) && std::isfinite(found.by_after) &&
          std::isfinite(found.by_before))) {
      found = {kNotANumber, kNotANumber, kNotANumber};
    }
    values[i] = found.value;
    jacobian(i, i) = found.by_after;
    jacobian(i, size + i) = found.by_before;
  }
  return compared(after, before).delta(values, jacobian);
}

Eigen::VectorXd correlations(const Estimates& before, const Estimates& after) {
  const Eigen::Index size = after.size();
  const Eigen::MatrixXd covariance = compared(before, after).covariance();
  Eigen::VectorXd result(size);
  for (Eigen::Index i = 0; i < size; ++i) {
    const double first = covariance(i, i);
    const double second = covariance(size + i, size + i);
    const double scale = std::sqrt(first * second);
    result[i] = first > 0 && second > 0 ? covariance(i, size + i) / scale : kNotANumber;
  }
  return result;
}

Estimates link(const Estimates& old, const Estimates& by, LinkKind kind) {
  if (by.size() != 1) {
    throw std::invalid_argument("a link is one estimate");
  }
  const Eigen::Index size = old.size();
  const double factor = by.values[0];
  const bool scales = kind == LinkKind::kScale;
  Eigen::MatrixXd jacobian = Eigen::MatrixXd::Zero(size, size + 1);
  jacobian.leftCols(size).diagonal().setConstant(scales ? factor : 1);
  jacobian.col(size) = scales ? old.values : Eigen::VectorXd::Ones(size);
  const Eigen::VectorXd values =
      scales ? Eigen::VectorXd(old.values * factor) : Eigen::VectorXd(old.values.array() + factor);
  return join(old, by).delta(values, jacobian);
}

}  // namespace steelyard
