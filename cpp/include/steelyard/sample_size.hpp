#pragma once

#include <limits>

namespace steelyard {

/// What a sample's size is reckoned from.
struct SizeOptions {
  double level = 0.95;
  double design_effect = 1;
  double population = std::numeric_limits<double>::infinity();
};

/// Answers needed for a mean with so wide a half-interval; a proportion p has a variance of
/// p (1 - p). Not rounded.
/// @throws std::invalid_argument for a variance, margin or option out of range.
/// Reference: Cochran (1977), section 4.4.
double size_for_margin(double variance, double margin, const SizeOptions& options);

/// The half-interval that so many answers give.
double margin_of_size(double variance, double answers, const SizeOptions& options);

/// Two waves, and what they share.
struct ChangeOptions {
  double level = 0.95;
  double power = 0.8;
  double design_effect = 1;
  double overlap = 0;      ///< share of a wave's units that are in the other
  double correlation = 0;  ///< of a unit's two answers
};

/// Answers needed in each of two waves to detect a change of a mean, by a two-sided test.
/// @throws std::invalid_argument for a change of 0, or an option out of range.
/// Reference: Kish (1965), section 12.4; Valliant, Dever & Kreuter (2018), section 4.4.
double size_for_change(double first_variance, double second_variance, double change,
                       const ChangeOptions& options);

/// The smallest change that so many answers in each wave detect.
double detectable_change(double first_variance, double second_variance, double answers,
                         const ChangeOptions& options);

}  // namespace steelyard
