#include "steelyard/moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/centres.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Sums distances from the mean and their products: every moment is a function of those.
class Moments final : public Estimator {
 public:
  Moments(Moment which, const std::vector<Column>& columns, Centres centres)
      : Estimator(columns, columns.size() == 1 ? 2 : 5),
        which_(which),
        centres_(std::move(centres)) {}

  bool is_ratio() const override { return true; }

  void read(const RowBlock& rows, RowMatrix& buffer,
            std::vector<const double*>& into) const override {
    RowMatrix room(2, kBlockRows);
    const double* y = columns().front().read(rows.begin, rows.count, room.row(0).data());
    const double* x =
        columns().size() == 1 ? y : columns()[1].read(rows.begin, rows.count, room.row(1).data());
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const std::int32_t d = rows.domain_of(i);
      if (d < 0) {
        continue;
      }
      const double first = y[i] - centres_.mean(d, 0);
      if (columns().size() == 1) {
        buffer(0, i) = first;
        buffer(1, i) = first * first;
        continue;
      }
      const double second = x[i] - centres_.mean(d, 1);
      buffer(0, i) = first;
      buffer(1, i) = second;
      buffer(2, i) = first * first;
      buffer(3, i) = first * second;
      buffer(4, i) = second * second;
    }
    into.clear();
    for (Eigen::Index j = 0; j < width(); ++j) {
      into.push_back(buffer.row(j).data());
    }
  }

  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = sums.features[0];
    const double n = centres_.used[sums.domain];
    if (!(weight > 0) || n < 2) {
      return {Eigen::VectorXd::Constant(1, kNotANumber), Eigen::MatrixXd::Zero(1, features())};
    }
    const Product yy = product(sums, 0, 0, columns().size() == 1 ? 1 : 2);
    if (columns().size() == 1) {
      return which_ == Moment::kVariance ? as_linearisation(scaled(yy, n / (n - 1)))
                                         : as_linearisation(root(scaled(yy, n / (n - 1))));
    }
    const Product yx = product(sums, 0, 1, 3);
    const Product xx = product(sums, 1, 1, 4);
    return as_linearisation(which_ == Moment::kCovariance ? scaled(yx, n / (n - 1))
                                                          : correlation(yy, yx, xx));
  }

 private:
  /// A number and its derivatives by the sums.
  struct Product {
    double value;
    Eigen::VectorXd gradient;
  };

  Moment which_;
  Centres centres_;

  /// Mean of the product of two distances, less the product of their means (nearly nothing).
  Product product(const DomainSums& sums, Eigen::Index j, Eigen::Index k, Eigen::Index jk) const {
    const double weight = sums.features[0];
    const Eigen::VectorXd offset = sums.features.tail(width()) / weight;
    const Eigen::VectorXd mean = sums.centre + offset;
    Product result{mean[jk] - mean[j] * mean[k], Eigen::VectorXd::Zero(features())};
    result.gradient[1 + jk] = 1 / weight;
    result.gradient[1 + j] -= mean[k] / weight;
    result.gradient[1 + k] -= mean[j] / weight;
    result.gradient[0] = -result.gradient.tail(width()).dot(offset);
    return result;
  }

  static Product scaled(const Product& a, double factor) {
    return {factor * a.value, factor * a.gradient};
  }

  static Product root(const Product& a) {
    if (!(a.value > 0)) {
      return {a.value == 0 ? 0 : kNotANumber, Eigen::VectorXd::Zero(a.gradient.size())};
    }
    const double value = std::sqrt(a.value);
    return {value, a.gradient / (2 * value)};
  }

  static Product correlation(const Product& yy, const Product& yx, const Product& xx) {
    if (!(yy.value > 0) || !(xx.value > 0)) {
      return {kNotANumber, Eigen::VectorXd::Zero(yx.gradient.size())};
    }
    const double value = std::clamp(yx.value / std::sqrt(yy.value * xx.value), -1.0, 1.0);
    const Eigen::VectorXd gradient = yx.gradient / std::sqrt(yy.value * xx.value) -
                                     value / 2 * (yy.gradient / yy.value + xx.gradient / xx.value);
    return {value, gradient};
  }

  static Linearisation as_linearisation(const Product& a) {
    return {Eigen::VectorXd::Constant(1, a.value), a.gradient.transpose()};
  }
};

}  // namespace

EstimatorPtr moment(Moment which, const std::vector<Column>& columns, const Design& design,
                    const Domains& domains, int threads) {
  const bool of_two = which == Moment::kCovariance || which == Moment::kCorrelation;
  if (columns.size() != (of_two ? 2U : 1U)) {
    throw std::invalid_argument(of_two ? "two columns are needed" : "one column is needed");
  }
  return std::make_shared<Moments>(which, columns, find_centres(columns, design, domains, threads));
}

}  // namespace steelyard
