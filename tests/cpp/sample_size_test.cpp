#include "steelyard/sample_size.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard::testing {
namespace {

/// The level at which an interval is two standard errors to either side.
double two_standard_errors() { return 1 - 2 * t_upper_tail(2, kInfinity); }

// Cochran (1977), section 4.2: 40 per cent to within 5, at t = 2, of 3200 islanders.
TEST(SampleSize, ReproducesCochransIsland) {
  SizeOptions options{.level = two_standard_errors()};
  EXPECT_NEAR(size_for_margin(.4 * .6, .05, options), 384, 1e-9);
  options.population = 3200;
  EXPECT_EQ(std::round(size_for_margin(.4 * .6, .05, options)), 343);
}

// The 385 of opinion polls: 1.959964^2 / 4 / 0.0025.
TEST(SampleSize, ReproducesThePollOf385) {
  EXPECT_NEAR(size_for_margin(.25, .05, {}), 384.1459, 5e-5);
  EXPECT_NEAR(margin_of_size(.25, 1000, {}), .030990, 5e-7);
}

TEST(SampleSize, GrowsWithTheDesignEffect) {
  const SizeOptions twice{.design_effect = 2};
  EXPECT_NEAR(size_for_margin(.25, .05, twice), 2 * size_for_margin(.25, .05, {}), 1e-10);
}

TEST(SampleSize, NeverExceedsThePopulation) {
  const SizeOptions some{.population = 50};
  EXPECT_NEAR(size_for_margin(.25, 1e-9, some), 50, 1e-6);
  EXPECT_EQ(margin_of_size(.25, 50, some), 0);
  EXPECT_EQ(size_for_margin(0, .1, some), 0);
}

TEST(SampleSize, IsTheInverseOfTheMargin) {
  for (const double population : {500.0, kInfinity}) {
    const SizeOptions options{.level = .9, .design_effect = 1.7, .population = population};
    for (const double answers : {3.0, 77.5, 400.0}) {
      const double margin = margin_of_size(2.5, answers, options);
      EXPECT_NEAR(size_for_margin(2.5, margin, options), answers, 1e-9 * answers);
    }
  }
}

TEST(SampleSize, RefusesWhatIsOutOfRange) {
  const auto refuses = [](double variance, double margin, const SizeOptions& options) {
    EXPECT_THROW(size_for_margin(variance, margin, options), std::invalid_argument);
  };
  refuses(-1, 1, {});
  refuses(kNaN, 1, {});
  refuses(1, 0, {});
  refuses(1, kInfinity, {});
  refuses(1, kNaN, {});
  refuses(1, 1, {.level = 0});
  refuses(1, 1, {.level = 1});
  refuses(1, 1, {.design_effect = 0});
  refuses(1, 1, {.design_effect = kNaN});
  refuses(1, 1, {.population = 0});
  EXPECT_THROW(margin_of_size(1, 0, {}), std::invalid_argument);
  EXPECT_THROW(margin_of_size(1, 11, {.population = 10}), std::invalid_argument);
}

// As tabled: half a standard deviation takes 63 in each group, and 50 against 60 per cent 385,
// without a correction.
TEST(SizeForChange, ReproducesTabledSizes) {
  EXPECT_NEAR(size_for_change(1, 1, .5, {}), 62.79, .005);
  EXPECT_NEAR(size_for_change(.5 * .5, .6 * .4, .1, {}), 384.6, .05);
  EXPECT_NEAR(size_for_change(.5 * .5, .6 * .4, -.1, {}), 384.6, .05);
}

// Kish (1965), section 12.4: by 1 - P R.
TEST(SizeForChange, ShrinksWithOverlap) {
  const ChangeOptions panel{.design_effect = 1.5, .overlap = .75, .correlation = .8};
  EXPECT_NEAR(size_for_change(2, 2, .3, panel),
              1.5 * (1 - .75 * .8) * size_for_change(2, 2, .3, {}), 1e-10);
  EXPECT_NEAR(size_for_change(2, 2, .3, {.overlap = 1, .correlation = 1}), 0, 1e-12);
}

// The far tail of the test adds little: a change is found as often as the power says.
TEST(SizeForChange, HasThePower) {
  const ChangeOptions options{.level = .9, .power = .95, .overlap = .5, .correlation = .4};
  const double change = detectable_change(3, 5, 250, options);
  const double error = std::sqrt((3 + 5 - 2 * .5 * .4 * std::sqrt(15)) / 250);
  EXPECT_NEAR(t_upper_tail(normal_quantile(.95) - change / error, kInfinity), .95, 1e-12);
}

TEST(SizeForChange, IsTheInverseOfTheDetectableChange) {
  const ChangeOptions options{
      .level = .99, .power = .7, .design_effect = 1.3, .overlap = .2, .correlation = -.5};
  for (const double answers : {5.0, 1234.5}) {
    const double change = detectable_change(1, 4, answers, options);
    EXPECT_NEAR(size_for_change(1, 4, change, options), answers, 1e-9 * answers);
  }
}

TEST(SizeForChange, RefusesWhatIsOutOfRange) {
  const auto refuses = [](double first, double second, double change, const ChangeOptions& some) {
    EXPECT_THROW(size_for_change(first, second, change, some), std::invalid_argument);
  };
  refuses(1, 1, 0, {});
  refuses(1, 1, kNaN, {});
  refuses(-1, 1, 1, {});
  refuses(1, kNaN, 1, {});
  refuses(1, 1, 1, {.design_effect = -1});
  refuses(1, 1, 1, {.overlap = 1.1});
  refuses(1, 1, 1, {.overlap = -.1});
  refuses(1, 1, 1, {.correlation = 1.1});
  EXPECT_THROW(detectable_change(1, 1, 0, {}), std::invalid_argument);
}

TEST(SizeForChange, RefusesLevelsAndPowersAtTheirEnds) {
  for (const ChangeOptions& some :
       {ChangeOptions{.level = 1}, ChangeOptions{.power = 0}, ChangeOptions{.power = 1}}) {
    EXPECT_THROW(size_for_change(1, 1, 1, some), std::invalid_argument);
    EXPECT_THROW(detectable_change(1, 1, 9, some), std::invalid_argument);
  }
}

}  // namespace
}  // namespace steelyard::testing
