#include "steelyard/published.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

namespace steelyard::testing {
namespace {

using Count = std::int64_t;

constexpr Rounding kRules[] = {Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfDown,
                               Rounding::kTruncate, Rounding::kAny};

Count scale_of(int decimals, int whole) {
  Count scale = whole;
  for (int i = 0; i < decimals; ++i) {
    scale *= 10;
  }
  return scale;
}

/// The digits that k / n may print, lowest and highest: long division, remainder against half.
struct Printed {
  Count lowest;
  Count highest;
};
Printed print(Count k, Count n, Count scale, Rounding rule) {
  const Count whole = scale * k / n;
  const Count rest = 2 * (scale * k % n);
  if (rest == n) {  // exactly half
    switch (rule) {
      case Rounding::kHalfUp:
        return {whole + 1, whole + 1};
      case Rounding::kHalfEven:
        return {whole + whole % 2, whole + whole % 2};
      case Rounding::kHalfDown:
      case Rounding::kTruncate:
        return {whole, whole};
      case Rounding::kAny:
        return {whole, whole + 1};
    }
  }
  const Count printed = rest > n && rule != Rounding::kTruncate ? whole + 1 : whole;
  return {printed, printed};
}

/// All counts out of n, printed one by one.
class Enumeration {
 public:
  Enumeration(Count n, Count scale, Rounding rule) : n_(n) {
    for (Count k = 0; k <= n; ++k) {
      printed_.push_back(print(k, n, scale, rule));
      given_.insert(printed_.back().lowest);
      given_.insert(printed_.back().highest);
    }
  }

  const std::set<Count>& given() const { return given_; }

  void expect_equal(const ShareAudit& audit, Count digits) const {
    const auto fits = [&](const Printed& p) { return p.lowest <= digits && digits <= p.highest; };
    const auto first = std::find_if(printed_.begin(), printed_.end(), fits);
    ASSERT_EQ(audit.possible(), first != printed_.end());
    if (audit.possible()) {
      ASSERT_EQ(audit.lowest, first - printed_.begin());
      const auto last = std::find_if(printed_.rbegin(), printed_.rend(), fits);
      ASSERT_EQ(audit.highest, n_ - (last - printed_.rbegin()));
    }
    Count below = -1;
    Count above = n_ + 1;
    for (Count k = 0; k <= n_; ++k) {
      const Printed& p = printed_[static_cast<std::size_t>(k)];
      below = p.highest < digits ? k : below;
      above = p.lowest > digits && above > n_ ? k : above;
    }
    ASSERT_EQ(audit.below, below);
    ASSERT_EQ(audit.above, above);
  }

 private:
  Count n_;
  std::vector<Printed> printed_;
  std::set<Count> given_;
};

void compare_all(int decimals, int whole, Rounding rule) {
  constexpr Count kLargest = 60;
  const Count scale = scale_of(decimals, whole);
  std::vector<Count> nearest(static_cast<std::size_t>(scale + 1), 0);
  for (Count n = 1; n <= kLargest; ++n) {
    const Enumeration enumeration(n, scale, rule);
    for (const Count digits : enumeration.given()) {
      nearest[static_cast<std::size_t>(digits)] = n;
    }
    const auto printable = static_cast<double>(scale + 1);
    const double excluded =
        (printable - static_cast<double>(enumeration.given().size())) / printable;
    // Of ten thousand printable values all that occur, and every seventh of those that do not.
    const Count stride = scale > 1000 ? 7 : 1;
    for (Count digits = 0; digits <= scale; ++digits) {
      if (digits % stride != 0 && enumeration.given().count(digits) == 0) {
        continue;
      }
      const ShareAudit audit = audit_share({digits, decimals, whole}, n, rule);
      enumeration.expect_equal(audit, digits);
      ASSERT_DOUBLE_EQ(audit.excluded, excluded);
      ASSERT_EQ(audit.nearest_base, nearest[static_cast<std::size_t>(digits)]);
    }
    for (Count k = 0; k <= n; ++k) {
      const Rounding one_way = rule == Rounding::kAny ? Rounding::kHalfUp : rule;
      ASSERT_EQ(print_share(k, n, decimals, whole, rule), print(k, n, scale, one_way).lowest);
    }
  }
}

TEST(AuditShare, EqualsCountingThroughAllCounts) {
  for (const Rounding rule : kRules) {
    for (int decimals = 0; decimals <= 2; ++decimals) {
      for (const int whole : {1, 100}) {
        SCOPED_TRACE(::testing::Message() << "rule " << static_cast<int>(rule) << ", " << decimals
                                          << " decimals of " << whole);
        compare_all(decimals, whole, rule);
        ASSERT_FALSE(HasFatalFailure());
      }
    }
  }
}

// Management response to the external evaluation of the 2022 training activities (Turin, September
// 2023): 2.A 96,9; 2.B 93,8; 2.C 93,6; 2.D 75,4 per cent of 627 responses.
TEST(AuditShare, FindsTheImpossibleFigureOfTheFoundingTable) {
  const ShareAudit audit = audit_share({969, 1, 100}, 627, Rounding::kHalfUp);
  EXPECT_FALSE(audit.possible());
  EXPECT_EQ(audit.below, 607);  // 96.8
  EXPECT_EQ(audit.above, 608);  // 97.0
  EXPECT_EQ(print_share(607, 627, 1, 100, Rounding::kHalfUp), 968);
  EXPECT_EQ(print_share(608, 627, 1, 100, Rounding::kHalfUp), 970);
  EXPECT_DOUBLE_EQ(audit.excluded, 373.0 / 1001.0);
  for (const Rounding rule : kRules) {
    EXPECT_EQ(audit_share({969, 1, 100}, 627, rule).possible(), rule == Rounding::kTruncate);
  }
}

TEST(AuditShare, FindsTheCountsOfTheOtherFigures) {
  const auto expect_count = [](Count digits, Count count) {
    const ShareAudit audit = audit_share({digits, 1, 100}, 627, Rounding::kHalfUp);
    EXPECT_EQ(audit.lowest, count);
    EXPECT_EQ(audit.highest, count);
    EXPECT_EQ(audit.nearest_base, 627);
  };
  expect_count(938, 588);
  expect_count(936, 587);
  expect_count(754, 473);
}

// Brown & Heathers (2017): with as many answers as there are printable values nothing is excluded.
TEST(AuditShare, HasNoPowerOnLargeSamples) {
  for (const Count n : {1000, 1001, 1'000'000'000}) {
    const ShareAudit audit = audit_share({969, 1, 100}, n, Rounding::kHalfEven);
    EXPECT_TRUE(audit.possible());
    EXPECT_EQ(audit.excluded, 0);
  }
  EXPECT_GT(audit_share({969, 1, 100}, 999, Rounding::kHalfEven).excluded, 0);
}

// The counts of a large sample, by arithmetic: 96.85 % <= k / n < 96.95 %.
TEST(AuditShare, IsExactOnLargeSamples) {
  const ShareAudit audit = audit_share({969, 1, 100}, 1'000'000'000, Rounding::kHalfUp);
  EXPECT_EQ(audit.lowest, 968'500'000);
  EXPECT_EQ(audit.highest, 969'499'999);
  EXPECT_EQ(audit_share({969, 1, 100}, 1'000'000'000, Rounding::kHalfDown).lowest, 968'500'001);
  EXPECT_EQ(audit_share({1'000'000, 4, 100}, 1'000'000'000, Rounding::kHalfUp).lowest, 999'999'500);
}

TEST(AuditShare, RefusesWhatIsNoShare) {
  const auto audit = [](Count digits, int decimals, int whole, Count n) {
    return audit_share({digits, decimals, whole}, n, Rounding::kHalfUp);
  };
  EXPECT_THROW(audit(969, 1, 100, 0), std::invalid_argument);
  EXPECT_THROW(audit(969, 1, 100, 1'000'000'001), std::invalid_argument);
  EXPECT_THROW(audit(-1, 1, 100, 10), std::invalid_argument);
  EXPECT_THROW(audit(1001, 1, 100, 10), std::invalid_argument);
  EXPECT_THROW(audit(9, 5, 100, 10), std::invalid_argument);
  EXPECT_THROW(audit(9, -1, 100, 10), std::invalid_argument);
  EXPECT_THROW(audit(9, 1, 10, 10), std::invalid_argument);
  EXPECT_NO_THROW(audit(1000, 1, 100, 10));
}

// The margin of 3.1 points of 1,000 answers, at a share of one half and 95 %.
TEST(ShareVariance, GivesTheUsualMarginOfAThousandAnswers) {
  EXPECT_NEAR(100 * 1.96 * std::sqrt(share_variance(0.5, 1000, 1)), 3.1, 0.05);
  EXPECT_DOUBLE_EQ(share_variance(0.5, 1000, 1), 1.0 / 4000);
}

// Kish (1965), Survey Sampling: deff is the variance over that of as many answers drawn at random.
TEST(ShareVariance, IsInProportionToTheDesignEffect) {
  EXPECT_DOUBLE_EQ(share_variance(0.2, 400, 2.5), 2.5 * 0.2 * 0.8 / 400);
  EXPECT_DOUBLE_EQ(share_variance(0.2, 400, 2.5), share_variance(0.8, 160, 1));
}

TEST(ShareVariance, OfNoneAndOfAllIsNothing) {
  EXPECT_EQ(share_variance(0, 10, 1.5), 0);
  EXPECT_EQ(share_variance(1, 10, 1.5), 0);
}

TEST(ShareVariance, RefusesWhatIsNoShareOfAnswers) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double share : {-0.01, 1.01, 50.0, kNaN}) {
    EXPECT_THROW(share_variance(share, 10, 1), std::invalid_argument);
  }
  for (const double n : {0.0, 0.5, -3.0, kNaN, kInfinity}) {
    EXPECT_THROW(share_variance(0.5, n, 1), std::invalid_argument);
  }
  for (const double deff : {0.0, -1.0, kNaN, kInfinity}) {
    EXPECT_THROW(share_variance(0.5, 10, deff), std::invalid_argument);
  }
}

}  // namespace
}  // namespace steelyard::testing
