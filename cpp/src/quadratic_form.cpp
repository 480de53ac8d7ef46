#include "steelyard/quadratic_form.hpp"

#include <cmath>
#include <stdexcept>

#include "steelyard/chi_square_sum.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

/// Beyond these multiples of the largest coefficient the tail is 1 or 0 to the last bit, and cubes
/// would vanish or overflow. A denominator beyond is as good as infinite.
constexpr double kSmallest = 1e-90;
constexpr double kLargest = 1e90;

void check_x(double x) {
  if (std::isnan(x)) {
    throw std::invalid_argument("quadratic form: x is not a number");
  }
}

Eigen::VectorXd checked_freedom(const QuadraticForm& form) {
  const Eigen::VectorXd& a = form.coefficients;
  if (!a.allFinite() || (a.array() < 0).any() || !(a.array() > 0).any()) {
    throw std::invalid_argument(
        "quadratic form: coefficients must be finite and not negative, one of them positive");
  }
  if (form.degrees_of_freedom.size() == 0) {
    return Eigen::VectorXd::Ones(a.size());
  }
  const Eigen::VectorXd& d = form.degrees_of_freedom;
  if (d.size() != a.size() || !d.allFinite() || !(d.array() > 0).all()) {
    throw std::invalid_argument(
        "quadratic form: degrees of freedom must be positive and finite, one for each coefficient");
  }
  return d;
}

/// The chi-square, times `scale`, that has the form's mean and variance.
struct Satterthwaite {
  double scale;
  double degrees_of_freedom;
};

Satterthwaite satterthwaite(const QuadraticForm& form, const Eigen::VectorXd& freedom) {
  const double largest = form.coefficients.maxCoeff();  // squares neither overflow nor vanish
  const Eigen::VectorXd a = form.coefficients / largest;
  const double mean = a.dot(freedom);
  const double square = a.cwiseAbs2().dot(freedom);
  return {largest * square / mean, mean * mean / square};
}

ChiSquareSum scaled_sum(const QuadraticForm& form, const Eigen::VectorXd& freedom, double x) {
  const double largest = form.coefficients.maxCoeff();
  ChiSquareSum sum{{}, x / largest};
  for (Eigen::Index i = 0; i < freedom.size(); ++i) {
    if (form.coefficients(i) > 0) {
      sum.terms.push_back({form.coefficients(i) / largest, freedom(i)});
    }
  }
  return sum;
}

double upper_tail(const ChiSquareSum& sum, TailMethod method) {
  return method == TailMethod::kSaddlepoint ? saddlepoint_upper_tail(sum)
                                            : inverted_upper_tail(sum);
}

}  // namespace

double quadratic_form_upper_tail(double x, const QuadraticForm& form, TailMethod method) {
  check_x(x);
  const Eigen::VectorXd freedom = checked_freedom(form);
  const double multiple = x / form.coefficients.maxCoeff();
  if (!(multiple > kSmallest)) {
    return 1;
  }
  if (multiple > kLargest) {
    return 0;
  }
  if (method == TailMethod::kSatterthwaite) {
    const Satterthwaite law = satterthwaite(form, freedom);
    return chi_square_upper_tail(x / law.scale, law.degrees_of_freedom);
  }
  return upper_tail(scaled_sum(form, freedom, x), method);
}

double quadratic_form_ratio_upper_tail(double x, const QuadraticForm& form, double denominator,
                                       TailMethod method) {
  if (!(denominator > 0)) {
    throw std::invalid_argument("quadratic form: denominator degrees of freedom must be positive");
  }
  if (denominator > kLargest) {
    return quadratic_form_upper_tail(x, form, method);
  }
  check_x(x);
  const Eigen::VectorXd freedom = checked_freedom(form);
  const double multiple = x / form.coefficients.maxCoeff();
  if (!(multiple > kSmallest)) {
    return 1;
  }
  if (std::isinf(multiple)) {
    return 0;
  }
  if (method == TailMethod::kSatterthwaite) {
    const Satterthwaite law = satterthwaite(form, freedom);
    return f_upper_tail(x / law.scale / law.degrees_of_freedom, law.degrees_of_freedom,
                        denominator);
  }
  ChiSquareSum sum = scaled_sum(form, freedom, x);
  sum.terms.push_back({-sum.level / denominator, denominator});
  sum.level = 0;
  return upper_tail(sum, method);
}

}  // namespace steelyard
