#include "steelyard/sample_size.hpp"

#include <cmath>
#include <stdexcept>

#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

void check(bool holds, const char* what) {
  if (!holds) {
    throw std::invalid_argument(what);
  }
}

void check_common(double level, double design_effect) {
  check(level > 0 && level < 1, "a level lies between 0 and 1");
  check(design_effect > 0 && std::isfinite(design_effect), "a design effect is above 0");
}

double two_sided(double level) { return normal_quantile((1 + level) / 2); }

void check_options(double variance, const SizeOptions& options) {
  check_common(options.level, options.design_effect);
  check(variance >= 0 && std::isfinite(variance), "a variance is at least 0");
  check(options.population >= 1, "a population has at least one unit");
}

/// Variance of a difference of means over answers in each wave.
double variance_of_change(double first, double second, const ChangeOptions& options) {
  check_common(options.level, options.design_effect);
  check(options.power > 0 && options.power < 1, "a power lies between 0 and 1");
  check(options.power > (1 - options.level) / 2,
        "a power is more than the chance to claim a change where there is none");
  check(options.overlap >= 0 && options.overlap <= 1, "an overlap lies between 0 and 1");
  check(options.correlation >= -1 && options.correlation <= 1,
        "a correlation lies between -1 and 1");
  check(first >= 0 && second >= 0 && std::isfinite(first + second), "variances are at least 0");
  const double shared = 2 * options.overlap * options.correlation * std::sqrt(first * second);
  return options.design_effect * (first + second - shared);
}

double distance(const ChangeOptions& options) {
  return two_sided(options.level) + normal_quantile(options.power);
}

}  // namespace

double size_for_margin(double variance, double margin, const SizeOptions& options) {
  check_options(variance, options);
  check(margin > 0 && std::isfinite(margin), "a margin is above 0");
  const double z = two_sided(options.level);
  const double wanted = (margin / z) * (margin / z);
  const double unit = options.design_effect * variance;
  return unit / (wanted + unit / options.population);
}

double margin_of_size(double variance, double answers, const SizeOptions& options) {
  check_options(variance, options);
  check(answers > 0 && answers <= options.population,
        "answers are above 0, and not more than the population");
  const double unit = options.design_effect * variance * (1 / answers - 1 / options.population);
  return two_sided(options.level) * std::sqrt(unit);
}

double size_for_change(double first_variance, double second_variance, double change,
                       const ChangeOptions& options) {
  check(change != 0 && std::isfinite(change), "a change to detect is not 0");
  const double variance = variance_of_change(first_variance, second_variance, options);
  const double ratio = distance(options) / change;
  return variance * ratio * ratio;
}

double detectable_change(double first_variance, double second_variance, double answers,
                         const ChangeOptions& options) {
  check(answers > 0, "answers are above 0");
  const double variance = variance_of_change(first_variance, second_variance, options);
  return distance(options) * std::sqrt(variance / answers);
}

}  // namespace steelyard
