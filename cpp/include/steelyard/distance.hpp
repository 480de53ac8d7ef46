#pragma once

#include <limits>

namespace steelyard {

/// How the distance of new weights from old ones is measured, which decides the form of g: the
/// factor of a weight, as a function of a row's score.
///
/// Reference: Deville & Särndal (1992), Calibration estimators in survey sampling, JASA 87(418),
/// section 2; Vanderhoeft (2001), Generalised calibration at Statistics Belgium, for kSinh.
class Distance {
 public:
  enum class Kind {
    kLinear,  ///< 1 + u: least squares (GREG); with bounds cut off at them
    kRaking,  ///< exp(u)
    kLogit,   ///< between two bounds, as a logistic curve
    kSinh,    ///< between linear and raking
  };
  /// Bounds of g.
  struct Bounds {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool is_open() const;
  };

  /// @throws std::invalid_argument for bounds in the wrong order, and a kLogit without them.
  Distance(Kind kind, const Bounds& bounds);

  Kind kind() const { return kind_; }
  const Bounds& bounds() const { return bounds_; }
  bool is_linear() const { return kind_ == Kind::kLinear && bounds_.is_open(); }
  double factor(double score) const { return factor(score, bounds_); }
  double slope(double score) const { return slope(score, bounds_); }
  /// The same between other bounds.
  double factor(double score, const Bounds& bounds) const;
  double slope(double score, const Bounds& bounds) const;

 private:
  Kind kind_;
  Bounds bounds_;
};

}  // namespace steelyard
