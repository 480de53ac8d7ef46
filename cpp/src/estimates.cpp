#include "steelyard/estimates.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Eigen::VectorXd Estimates::standard_errors() const {
  // The root of a variance that was estimated as negative is not a number.
  return deviations.variances().cwiseSqrt();
}

Estimates Estimates::delta(const Eigen::VectorXd& value, const Eigen::MatrixXd& jacobian) const {
  Estimates result{value, deviations};
  // Not a number spreads to what depends on it, and to nothing else.
  RowMatrix known = deviations.matrix;
  std::vector<Eigen::Index> unknown;
  for (Eigen::Index i = 0; i < known.cols(); ++i) {
    if (known.col(i).hasNaN()) {
      known.col(i).setZero();
      unknown.push_back(i);
    }
  }
  result.deviations.matrix = known * jacobian.transpose();
  for (const Eigen::Index i : unknown) {
    for (Eigen::Index j = 0; j < jacobian.rows(); ++j) {
      if (jacobian(j, i) != 0) {
        result.deviations.matrix.col(j).setConstant(kNotANumber);
      }
    }
  }
  return result;
}

Estimates Estimates::contrast(const Eigen::MatrixXd& combinations) const {
  Eigen::VectorXd value = Eigen::VectorXd::Zero(combinations.rows());
  for (Eigen::Index j = 0; j < combinations.rows(); ++j) {
    for (Eigen::Index i = 0; i < combinations.cols(); ++i) {
      value[j] += combinations(j, i) == 0 ? 0.0 : combinations(j, i) * values[i];
    }
  }
  return delta(value, combinations);
}

Estimates Estimates::select(const std::vector<Eigen::Index>& indices) const {
  for (const Eigen::Index i : indices) {
    if (i < 0 || i >= size()) {
      throw std::out_of_range("there is no estimate at that position");
    }
  }
  Estimates result{values(indices), deviations};
  result.deviations.matrix = deviations.matrix(Eigen::all, indices);
  return result;
}

Estimates join(const Estimates& first, const Estimates& second) {
  Eigen::VectorXd values(first.size() + second.size());
  values << first.values, second.values;
  return {values, join(first.deviations, second.deviations)};
}

double two_sided_p_value(double value, double se, double degrees_of_freedom, double null) {
  if (std::isnan(value) || !(se > 0)) {
    return kNotANumber;
  }
  return 2 * t_upper_tail(std::abs(value - null) / se, degrees_of_freedom);
}

}  // namespace steelyard
