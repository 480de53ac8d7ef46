#include "steelyard/rao_scott.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "steelyard/distribution.hpp"
#include "steelyard/quadratic_form.hpp"

namespace steelyard {
namespace {

void check(double uncorrected, const Eigen::VectorXd& design_effects, double degrees_of_freedom) {
  if (!(uncorrected >= 0) || std::isinf(uncorrected)) {
    throw std::invalid_argument("Rao-Scott test: the statistic must be finite and not negative");
  }
  if (!design_effects.allFinite() || (design_effects.array() < 0).any() ||
      !(design_effects.array() > 0).any()) {
    throw std::invalid_argument(
        "Rao-Scott test: design effects must be finite and not negative, one of them positive:"
        " without sampling error there is nothing to test");
  }
  if (!(degrees_of_freedom > 0)) {
    throw std::invalid_argument("Rao-Scott test: degrees of freedom must be positive");
  }
}

bool is_f(RaoScott correction) {
  return correction == RaoScott::kFirstOrderF || correction == RaoScott::kSecondOrderF ||
         correction == RaoScott::kSaddlepointF || correction == RaoScott::kExactF;
}

bool is_first_order(RaoScott correction) {
  return correction == RaoScott::kFirstOrder || correction == RaoScott::kFirstOrderF;
}

bool is_moment_matched(RaoScott correction) {
  return is_first_order(correction) || correction == RaoScott::kSecondOrder ||
         correction == RaoScott::kSecondOrderF;
}

}  // namespace

TestResult rao_scott_test(double uncorrected, const Eigen::VectorXd& design_effects,
                          double degrees_of_freedom, RaoScott correction) {
  check(uncorrected, design_effects, degrees_of_freedom);
  const auto k = static_cast<double>(design_effects.size());
  const double total = design_effects.sum();
  const double matched = total * total / design_effects.squaredNorm();
  const double ndf = is_first_order(correction) ? k : matched;
  const double ddf =
      is_f(correction) ? ndf * degrees_of_freedom : std::numeric_limits<double>::infinity();
  if (is_moment_matched(correction)) {
    const double f = uncorrected / total;
    return is_f(correction) ? TestResult{f, ndf, ddf, f_upper_tail(f, ndf, ddf)}
                            : TestResult{f * ndf, ndf, ddf, chi_square_upper_tail(f * ndf, ndf)};
  }
  const bool exact = correction == RaoScott::kExact || correction == RaoScott::kExactF;
  const double p =
      quadratic_form_ratio_upper_tail(uncorrected, {design_effects, {}}, ddf,
                                      exact ? TailMethod::kExact : TailMethod::kSaddlepoint);
  return {uncorrected, k, ddf, p};
}

}  // namespace steelyard
