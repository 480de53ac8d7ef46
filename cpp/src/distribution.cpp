#include "steelyard/distribution.hpp"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/complement.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace steelyard {

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

}  // namespace steelyard
