#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "samples.hpp"

/// The formulas as textbooks print them, unit by unit, in twice the precision: what the library is
/// compared with. Shares no code with it.
namespace steelyard::testing::textbook {

#if defined(__SIZEOF_FLOAT128__)
__extension__ typedef __float128 Wide;
#else
using Wide = long double;
#endif

using Influence = std::vector<Wide>;

struct Figure {
  double value = 0;
  Influence influence;
};

/// Rows used: in the domain, no answer missing.
using Used = std::vector<char>;

inline Used used_rows(Eigen::Index rows, const std::vector<const Values*>& columns,
                      const Codes* domains = nullptr, std::int32_t domain = 0) {
  Used used(static_cast<std::size_t>(rows), 1);
  for (std::size_t i = 0; i < used.size(); ++i) {
    bool in = domains == nullptr || (*domains)[static_cast<Eigen::Index>(i)] == domain;
    for (const Values* values : columns) {
      in = in && !std::isnan((*values)[i]);
    }
    used[i] = in ? 1 : 0;
  }
  return used;
}

/// Sum of w y; z = w y.
inline Figure total(const Sample& sample, const Values& y, const Used& used) {
  Figure figure;
  Wide sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Wide w = used[i] != 0 ? sample.weight(static_cast<Eigen::Index>(i)) : 0.0;
    figure.influence.push_back(used[i] != 0 ? w * static_cast<Wide>(y[i]) : Wide(0));
    sum += figure.influence.back();
  }
  figure.value = static_cast<double>(sum);
  return figure;
}

/// Sum of w y over sum of w x; z = w (y - R x) / sum of w x. Woodruff (1971).
inline Figure ratio(const Sample& sample, const Values& y, const Values& x, const Used& used) {
  Wide above = 0;
  Wide below = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (used[i] != 0) {
      const Wide w = sample.weight(static_cast<Eigen::Index>(i));
      above += w * static_cast<Wide>(y[i]);
      below += w * static_cast<Wide>(x[i]);
    }
  }
  const Wide value = above / below;
  Figure figure{static_cast<double>(value), {}};
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Wide w = sample.weight(static_cast<Eigen::Index>(i));
    figure.influence.push_back(
        used[i] != 0 ? w * (static_cast<Wide>(y[i]) - value * static_cast<Wide>(x[i])) / below
                     : Wide(0));
  }
  return figure;
}

inline Figure mean(const Sample& sample, const Values& y, const Used& used) {
  return ratio(sample, y, Values(y.size(), 1.0), used);
}

/// Sum over strata of (1 - f_h) n_h / (n_h - 1) sum over units of (a - mean a) (b - mean b).
/// Särndal, Swensson & Wretman (1992), result 4.5.1, estimated as with replacement times 1 - f.
/// @param sample `fpc` holds sampling fractions.
inline double covariance(const Sample& sample, const Influence& first, const Influence& second) {
  struct Unit {
    Wide a = 0;
    Wide b = 0;
  };
  std::map<std::int32_t, std::map<std::int64_t, Unit>> strata;
  std::map<std::int32_t, double> fraction;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::int32_t h = sample.strata.empty() ? 0 : sample.strata[i];
    Unit& unit = strata[h][sample.units.empty() ? static_cast<std::int64_t>(i) : sample.units[i]];
    unit.a += first[i];
    unit.b += second[i];
    fraction[h] = sample.fpc.empty() ? 0 : sample.fpc[i];
  }
  Wide result = 0;
  for (const auto& [h, units] : strata) {
    const auto n = static_cast<Wide>(static_cast<double>(units.size()));
    Wide a = 0;
    Wide b = 0;
    for (const auto& [id, unit] : units) {
      a += unit.a / n;
      b += unit.b / n;
    }
    Wide products = 0;
    for (const auto& [id, unit] : units) {
      products += (unit.a - a) * (unit.b - b);
    }
    if (units.size() > 1) {
      result += (1 - static_cast<Wide>(fraction[h])) * n / (n - 1) * products;
    }
  }
  return static_cast<double>(result);
}

inline double se(const Sample& sample, const Figure& figure) {
  return std::sqrt(covariance(sample, figure.influence, figure.influence));
}

}  // namespace steelyard::testing::textbook
