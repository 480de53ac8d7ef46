#include "steelyard/distribution.hpp"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/complement.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <stdexcept>

namespace steelyard {
namespace {

void check_finite_freedom(double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0) || std::isinf(degrees_of_freedom)) {
    throw std::invalid_argument("degrees of freedom must be positive and finite");
  }
}

void check_denominator(double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0)) {
    throw std::invalid_argument("denominator degrees of freedom must be positive");
  }
}

void check_statistic(double x) {
  if (std::isnan(x)) {
    throw std::invalid_argument("the statistic is not a number");
  }
}

void check_probability(double p) {
  if (!(p >= 0 && p < 1)) {
    throw std::invalid_argument("a quantile needs a probability within [0, 1)");
  }
}

}  // namespace

double normal_quantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

double t_quantile(double p, double degrees_of_freedom) {
  if (std::isinf(degrees_of_freedom)) {
    return normal_quantile(p);
  }
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), p);
}

double t_upper_tail(double t, double degrees_of_freedom) {
  if (std::isinf(degrees_of_freedom)) {
    return boost::math::cdf(boost::math::complement(boost::math::normal(), t));
  }
  return boost::math::cdf(boost::math::complement(boost::math::students_t(degrees_of_freedom), t));
}

double beta_quantile(double p, double a, double b) {
  if (!(a > 0)) {
    return 0;
  }
  if (!(b > 0)) {
    return 1;
  }
  return boost::math::quantile(boost::math::beta_distribution<>(a, b), p);
}

double chi_square_upper_tail(double x, double degrees_of_freedom) {
  check_statistic(x);
  check_finite_freedom(degrees_of_freedom);
  if (!(x > 0)) {
    return 1;
  }
  if (std::isinf(x)) {
    return 0;
  }
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(degrees_of_freedom), x));
}

double f_upper_tail(double x, double numerator, double denominator) {
  check_statistic(x);
  check_finite_freedom(numerator);
  check_denominator(denominator);
  if (std::isinf(denominator)) {
    return chi_square_upper_tail(x * numerator, numerator);
  }
  if (!(x > 0)) {
    return 1;
  }
  if (std::isinf(x)) {
    return 0;
  }
  return boost::math::cdf(
      boost::math::complement(boost::math::fisher_f(numerator, denominator), x));
}

double chi_square_quantile(double p, double degrees_of_freedom) {
  check_probability(p);
  check_finite_freedom(degrees_of_freedom);
  return boost::math::quantile(boost::math::chi_squared(degrees_of_freedom), p);
}

double f_quantile(double p, double numerator, double denominator) {
  check_probability(p);
  check_finite_freedom(numerator);
  check_denominator(denominator);
  if (std::isinf(denominator)) {
    return chi_square_quantile(p, numerator) / numerator;
  }
  return boost::math::quantile(boost::math::fisher_f(numerator, denominator), p);
}

}  // namespace steelyard
