#pragma once

#include <cstdint>

namespace steelyard {

/// A share as it was printed: `digits` / (10^decimals) of a whole of `whole` units (100 for per
/// cent, 1 for a proportion).
struct PrintedShare {
  std::int64_t digits;
  int decimals;
  int whole;
};

enum class Rounding { kHalfUp, kHalfEven, kHalfDown, kTruncate, kAny };

/// Can counts out of n give the printed share?
struct ShareAudit {
  std::int64_t lowest;   ///< smallest k for which k / n prints so
  std::int64_t highest;  ///< largest such k; below `lowest` where there is none
  std::int64_t below;    ///< largest k that prints less, -1 where there is none
  std::int64_t above;    ///< smallest k that prints more, n + 1 where there is none
  double excluded;       ///< share of the printable values that no k gives: the power of the check
  std::int64_t nearest_base;  ///< largest m <= n that could give it, 0 where none can

  bool possible() const { return lowest <= highest; }
};

/// Exact, in integers. kAny accepts a half rounded either way.
/// @throws std::invalid_argument unless 1 <= n <= 10^9, 0 <= decimals <= 4, 0 <= share <= whole.
///
/// Reference: Brown & Heathers (2017), The GRIM test, Soc Psychol Personal Sci 8(4), for shares.
ShareAudit audit_share(const PrintedShare& printed, std::int64_t n, Rounding rounding);

/// `digits` of k / n printed with `decimals` of `whole`. kAny rounds half up.
std::int64_t print_share(std::int64_t k, std::int64_t n, int decimals, int whole,
                         Rounding rounding);

/// Sampling variance of a share of n answers whose design effect is known or assumed: deff p (1 -
/// p) / n, as of sampling with replacement.
/// @throws std::invalid_argument unless 0 <= p <= 1, n >= 1 and deff > 0.
double share_variance(double share, double n, double deff);

}  // namespace steelyard
