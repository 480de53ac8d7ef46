// Lohr (2010), Sampling: Design and Analysis, 2nd ed., example 5.2: the mean grade point average of
// students in 5 of 100 suites of 4, printed there as 2.826 with a standard error of 0.164.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/interval.hpp"

int main() {
  using steelyard::Column;
  const std::vector<double> gpa = {3.08, 2.60, 3.44, 3.04, 2.36, 3.04, 3.28, 2.68, 2.00, 2.56,
                                   2.52, 1.88, 3.00, 2.88, 3.44, 3.64, 2.68, 1.92, 3.28, 3.20};
  const std::vector<double> fraction(20, 5.0 / 100.0);
  std::vector<std::int32_t> suite(20);
  for (std::size_t i = 0; i < suite.size(); ++i) {
    suite[i] = static_cast<std::int32_t>(i / 4);
  }
  const auto design = steelyard::Design::stratified(
      20, {}, {}, steelyard::Codes(suite, 5),
      Column("fraction", Column::Type::kFloat64, fraction.data(), 20), steelyard::Lonely::kFail);
  const std::vector<steelyard::EstimatorPtr> mean = {
      steelyard::mean(Column("gpa", Column::Type::kFloat64, gpa.data(), 20))};
  const steelyard::Estimates result =
      steelyard::estimate(design, steelyard::SampleKeys(1), {}, mean).estimates;
  const double se = result.standard_errors()[0];
  const steelyard::Interval interval = steelyard::wald_interval(
      result.values[0], se, result.degrees_of_freedom(), 0.95, steelyard::Side::kTwo);
  std::printf("%.3f %.3f %.3f %.3f\n", result.values[0], se, interval.low, interval.high);
}
