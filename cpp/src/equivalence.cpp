#include "steelyard/equivalence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Equivalence equivalence(double value, double se, double degrees_of_freedom, double low, double high,
                        double alpha) {
  if (!(low < high) || (std::isinf(low) && std::isinf(high))) {
    throw std::invalid_argument("margins: the lower one is below the upper one, and one is finite");
  }
  if (!(alpha > 0 && alpha < 0.5)) {
    throw std::invalid_argument("the error of each one-sided test lies between 0 and 0.5");
  }
  if (!std::isfinite(value) || !(se > 0)) {
    return {kNotANumber, kNotANumber, kNotANumber, {kNotANumber, kNotANumber}};
  }
  const auto tail = [&](double distance) {
    return std::isinf(distance) ? 0 : t_upper_tail(distance / se, degrees_of_freedom);
  };
  const double above = tail(value - low);
  const double below = tail(high - value);
  const Side side = std::isinf(high) ? Side::kLower : std::isinf(low) ? Side::kUpper : Side::kTwo;
  const double level = side == Side::kTwo ? 1 - 2 * alpha : 1 - alpha;
  return {above, below, std::max(above, below),
          wald_interval(value, se, degrees_of_freedom, level, side)};
}

double minimum_detectable(double se, double degrees_of_freedom, double level, double power) {
  if (!(level > 0 && level < 1)) {
    throw std::invalid_argument("the confidence level must lie between 0 and 1");
  }
  if (!(power > 1 - level && power < 1)) {
    throw std::invalid_argument(
        "a power is below 1, and more than the chance to claim a change where there is none");
  }
  return (t_quantile((1 + level) / 2, degrees_of_freedom) + t_quantile(power, degrees_of_freedom)) *
         se;
}

}  // namespace steelyard
