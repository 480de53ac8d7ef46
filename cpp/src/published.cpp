#include "steelyard/published.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace steelyard {
namespace {

/// Shares k / n in units of the last printed digit, as exact fractions scale * k / n.
class Scale {
 public:
  Scale(int decimals, int whole) : scale_(whole) {
    for (int i = 0; i < decimals; ++i) {
      scale_ *= 10;
    }
  }

  std::int64_t printable() const { return scale_ + 1; }

  /// Twice the distance of k / n from the printed value, times n.
  std::int64_t distance(std::int64_t k, std::int64_t n, std::int64_t digits) const {
    return 2 * (scale_ * k - digits * n);
  }

  /// Does k / n print less than `digits`?
  bool prints_less(std::int64_t k, std::int64_t n, std::int64_t digits, Rounding rounding) const {
    const std::int64_t lowest = rounding == Rounding::kTruncate ? 0 : -n;
    const bool lowest_belongs = rounding == Rounding::kHalfUp || rounding == Rounding::kTruncate ||
                                rounding == Rounding::kAny ||
                                (rounding == Rounding::kHalfEven && digits % 2 == 0);
    const std::int64_t at = distance(k, n, digits);
    return lowest_belongs ? at < lowest : at <= lowest;
  }

  bool prints_more(std::int64_t k, std::int64_t n, std::int64_t digits, Rounding rounding) const {
    const std::int64_t highest = rounding == Rounding::kTruncate ? 2 * n : n;
    const bool highest_belongs = rounding == Rounding::kHalfDown || rounding == Rounding::kAny ||
                                 (rounding == Rounding::kHalfEven && digits % 2 == 0);
    const std::int64_t at = distance(k, n, digits);
    return highest_belongs ? at > highest : at >= highest;
  }

 private:
  std::int64_t scale_;
};

/// First k in [0, n + 1] from which `holds` is true; `holds` is false before and true after.
template <typename Predicate>
std::int64_t first_where(std::int64_t n, const Predicate& holds) {
  std::int64_t low = 0;
  std::int64_t high = n + 1;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

struct Counts {
  std::int64_t lowest;
  std::int64_t highest;
  bool any() const { return lowest <= highest; }
};

Counts counts_of(const Scale& scale, std::int64_t digits, std::int64_t n, Rounding rounding) {
  return {
      first_where(n, [&](std::int64_t k) { return !scale.prints_less(k, n, digits, rounding); }),
      first_where(n, [&](std::int64_t k) { return scale.prints_more(k, n, digits, rounding); }) -
          1};
}

/// Share of the printable values that no count gives.
double excluded_share(const Scale& scale, std::int64_t n, Rounding rounding) {
  // Below one count a printable value, neighbouring counts never print the same.
  if (n >= scale.printable() - 1) {
    return 0;
  }
  std::int64_t given = n + 1;
  for (std::int64_t k = 0; rounding == Rounding::kAny && k <= n; ++k) {
    given += scale.distance(k, n, 0) % (2 * n) == n ? 1 : 0;  // a half prints two ways
  }
  const auto printable = static_cast<double>(scale.printable());
  return (printable - static_cast<double>(given)) / printable;
}

}  // namespace

ShareAudit audit_share(const PrintedShare& printed, std::int64_t n, Rounding rounding) {
  constexpr std::int64_t kMost = 1'000'000'000;
  constexpr int kMostDecimals = 4;
  if (n < 1 || n > kMost) {
    throw std::invalid_argument("audit: n must lie between 1 and 1e9");
  }
  if (printed.decimals < 0 || printed.decimals > kMostDecimals ||
      (printed.whole != 1 && printed.whole != 100)) {
    throw std::invalid_argument("audit: a share is printed of 1 or of 100, with 0 to 4 decimals");
  }
  const Scale scale(printed.decimals, printed.whole);
  if (printed.digits < 0 || printed.digits >= scale.printable()) {
    throw std::invalid_argument("audit: a share lies between 0 and the whole");
  }
  const Counts counts = counts_of(scale, printed.digits, n, rounding);
  ShareAudit audit{counts.lowest, counts.highest, counts.lowest - 1, counts.highest + 1, 0, 0};
  audit.excluded = excluded_share(scale, n, rounding);
  for (std::int64_t m = n; m >= 1 && audit.nearest_base == 0; --m) {
    audit.nearest_base = counts_of(scale, printed.digits, m, rounding).any() ? m : 0;
  }
  return audit;
}

std::int64_t print_share(std::int64_t k, std::int64_t n, int decimals, int whole,
                         Rounding rounding) {
  const Scale scale(decimals, whole);
  const Rounding one_way = rounding == Rounding::kAny ? Rounding::kHalfUp : rounding;
  const std::int64_t floor = scale.distance(k, n, 0) / (2 * n);
  return scale.prints_more(k, n, floor, one_way) ? floor + 1 : floor;
}

double share_variance(double share, double n, double deff) {
  if (!(share >= 0 && share <= 1 && n >= 1 && std::isfinite(n) && deff > 0 &&
        std::isfinite(deff))) {
    throw std::invalid_argument(
        "a share lies between 0 and 1, of at least one answer, with a design effect above 0");
  }
  return deff * share * (1 - share) / n;
}

}  // namespace steelyard
