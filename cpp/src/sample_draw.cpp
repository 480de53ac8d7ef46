#include "steelyard/sample_draw.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace steelyard {
namespace {

constexpr double kWhole = 1e-9;

std::int64_t check_fixed(const Eigen::VectorXd& p) {
  if (p.size() == 0 || !p.allFinite() || p.minCoeff() < 0 || p.maxCoeff() > 1 + kWhole) {
    throw std::invalid_argument("probabilities lie between 0 and 1");
  }
  const double sum = p.sum();
  const auto draws = std::llround(sum);
  if (std::abs(sum - static_cast<double>(draws)) > 1e-6) {
    throw std::invalid_argument("probabilities add up to the number of units to draw");
  }
  return draws;
}

bool is_certain(double p) { return p >= 1 - kWhole; }

/// The unit at which the running sum of some weights passes a point.
Eigen::Index at_point(const Eigen::VectorXd& weight, double point) {
  double sum = 0;
  Eigen::Index last = 0;
  for (Eigen::Index i = 0; i < weight.size(); ++i) {
    sum += weight[i];
    if (weight[i] > 0) {
      last = i;
      if (point < sum) {
        return i;
      }
    }
  }
  return last;
}

Eigen::Index one_of(const Eigen::VectorXd& weight, Random& random) {
  return at_point(weight, random.uniform() * weight.sum());
}

/// Certain units, and the others with their probabilities.
struct Split {
  Draw certain;
  Draw open;
  Eigen::VectorXd probability;
};

Split split(const Eigen::VectorXd& p) {
  Split result;
  std::vector<double> open;
  for (Eigen::Index i = 0; i < p.size(); ++i) {
    if (is_certain(p[i])) {
      result.certain.push_back(i);
    } else if (p[i] > 0) {
      result.open.push_back(i);
      open.push_back(p[i]);
    }
  }
  result.probability = Eigen::Map<Eigen::VectorXd>(open.data(), std::ssize(open));
  return result;
}

Draw joined(const Split& parts, const Draw& of_open) {
  Draw result = parts.certain;
  for (const Eigen::Index i : of_open) {
    result.push_back(parts.open[static_cast<std::size_t>(i)]);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// Distribution of how many of some units a Poisson sample takes, without one of them.
Eigen::VectorXd without(const Eigen::VectorXd& count, double p) {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(count.size());
  const Eigen::Index last = count.size() - 1;
  if (p <= 0.5) {  // from the side that does not lose digits
    result[0] = count[0] / (1 - p);
    for (Eigen::Index j = 1; j < last; ++j) {
      result[j] = (count[j] - p * result[j - 1]) / (1 - p);
    }
  } else {
    result[last - 1] = count[last] / p;
    for (Eigen::Index j = last - 1; j > 0; --j) {
      result[j - 1] = (count[j] - (1 - p) * result[j]) / p;
    }
  }
  return result;
}

}  // namespace

Eigen::VectorXd inclusion_probabilities(const Eigen::VectorXd& size, std::int64_t draws) {
  if (size.size() == 0 || !size.allFinite() || size.minCoeff() < 0) {
    throw std::invalid_argument("sizes are finite, none negative");
  }
  if (draws < 1 || draws > (size.array() > 0).count()) {
    throw std::invalid_argument("there are fewer units with a size above 0 than are to be drawn");
  }
  Eigen::VectorXd p = Eigen::VectorXd::Zero(size.size());
  std::vector<char> certain(static_cast<std::size_t>(size.size()), 0);
  for (bool changed = true; changed;) {
    changed = false;
    double open = 0;
    auto left = static_cast<double>(draws);
    for (Eigen::Index i = 0; i < size.size(); ++i) {
      certain[static_cast<std::size_t>(i)] != 0 ? left -= 1 : open += size[i];
    }
    for (Eigen::Index i = 0; i < size.size(); ++i) {
      char& own = certain[static_cast<std::size_t>(i)];
      if (own == 0) {
        p[i] = open > 0 ? left * size[i] / open : 0;
        if (p[i] >= 1) {
          own = 1;
          p[i] = 1;
          changed = true;
        }
      }
    }
  }
  return p;
}

Draw draw_simple(Eigen::Index units, std::int64_t draws, Random& random) {
  if (draws < 0 || draws > units) {
    throw std::invalid_argument("there are fewer units than are to be drawn");
  }
  Draw all(static_cast<std::size_t>(units));
  std::iota(all.begin(), all.end(), Eigen::Index{0});
  random.choose(all, draws);
  all.resize(static_cast<std::size_t>(draws));
  std::sort(all.begin(), all.end());
  return all;
}

Draw draw_poisson(const Eigen::VectorXd& probability, Random& random) {
  if (probability.size() == 0 || !probability.allFinite() || probability.minCoeff() < 0 ||
      probability.maxCoeff() > 1 + kWhole) {
    throw std::invalid_argument("probabilities lie between 0 and 1");
  }
  Draw result;
  for (Eigen::Index i = 0; i < probability.size(); ++i) {
    if (random.uniform() < probability[i]) {
      result.push_back(i);
    }
  }
  return result;
}

Draw draw_systematic(const Eigen::VectorXd& probability, Random& random) {
  const std::int64_t draws = check_fixed(probability);
  Draw result;
  double point = random.uniform();
  double sum = 0;
  for (Eigen::Index i = 0; i < probability.size(); ++i) {
    sum += probability[i];
    if (point < sum && std::ssize(result) < draws) {
      result.push_back(i);
      point += 1;
    }
  }
  // Rounding of the sum may leave the last one out.
  for (Eigen::Index i = probability.size() - 1; i >= 0 && std::ssize(result) < draws; --i) {
    if (probability[i] > 0 && !std::binary_search(result.begin(), result.end(), i)) {
      result.insert(std::lower_bound(result.begin(), result.end(), i), i);
    }
  }
  return result;
}

Draw draw_sampford(const Eigen::VectorXd& probability, Random& random) {
  constexpr int kMostTries = 1000000;
  check_fixed(probability);
  const Split parts = split(probability);
  const Eigen::VectorXd& p = parts.probability;
  const auto draws = std::llround(p.sum());
  if (draws == 0) {
    return parts.certain;
  }
  const Eigen::VectorXd odds = p.array() / (1 - p.array());
  for (int i = 0; i < kMostTries; ++i) {
    std::vector<char> taken(static_cast<std::size_t>(p.size()), 0);
    Draw own{one_of(p, random)};
    taken[static_cast<std::size_t>(own.front())] = 1;
    while (std::ssize(own) < draws) {
      const Eigen::Index unit = one_of(odds, random);
      if (taken[static_cast<std::size_t>(unit)] != 0) {
        break;
      }
      taken[static_cast<std::size_t>(unit)] = 1;
      own.push_back(unit);
    }
    if (std::ssize(own) == draws) {
      return joined(parts, own);
    }
  }
  throw std::runtime_error(
      "no sample of Sampford's was accepted in a million tries: the sampling fraction is too "
      "large for it");
}

Draw draw_brewer(const Eigen::VectorXd& probability, Random& random) {
  check_fixed(probability);
  const Split parts = split(probability);
  const Eigen::VectorXd& p = parts.probability;
  const auto draws = std::llround(p.sum());
  std::vector<char> taken(static_cast<std::size_t>(p.size()), 0);
  Draw own;
  double of_taken = 0;
  for (std::int64_t r = 0; r < draws; ++r) {
    const double left = static_cast<double>(draws) - of_taken;
    const auto to_draw = static_cast<double>(draws - r);
    Eigen::VectorXd weight = Eigen::VectorXd::Zero(p.size());
    for (Eigen::Index i = 0; i < p.size(); ++i) {
      if (taken[static_cast<std::size_t>(i)] == 0) {
        weight[i] = p[i] * (left - p[i]) / (left - p[i] * to_draw);
      }
    }
    const Eigen::Index unit =
        r + 1 == draws ? one_of(weight.cwiseMax(0), random) : one_of(weight, random);
    taken[static_cast<std::size_t>(unit)] = 1;
    of_taken += p[unit];
    own.push_back(unit);
  }
  return joined(parts, own);
}

Draw draw_tille(const Eigen::VectorXd& size, std::int64_t draws, Random& random) {
  inclusion_probabilities(size, draws);  // refuses what cannot be drawn
  Draw left;
  for (Eigen::Index i = 0; i < size.size(); ++i) {
    if (size[i] > 0) {
      left.push_back(i);
    }
  }
  std::vector<char> out(static_cast<std::size_t>(size.size()), 0);
  Eigen::VectorXd before = (size.array() > 0).cast<double>();
  for (std::int64_t k = std::ssize(left) - 1; k >= draws; --k) {
    const Eigen::VectorXd p = inclusion_probabilities(size, k);
    Eigen::VectorXd leaves = Eigen::VectorXd::Zero(size.size());
    for (const Eigen::Index i : left) {
      leaves[i] = out[static_cast<std::size_t>(i)] != 0 ? 0 : 1 - p[i] / before[i];
    }
    out[static_cast<std::size_t>(one_of(leaves, random))] = 1;
    before = p;
  }
  std::erase_if(left, [&](Eigen::Index i) { return out[static_cast<std::size_t>(i)] != 0; });
  return left;
}

RowMatrix joint_systematic(const Eigen::VectorXd& probability) {
  check_fixed(probability);
  const Eigen::Index n = probability.size();
  // A unit is drawn where the start lies on its arc of a circle of length 1.
  Eigen::VectorXd begin(n);
  double sum = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    begin[i] = sum - std::floor(sum);
    sum += probability[i];
  }
  RowMatrix result(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      double shared = 0;
      for (const double turn : {-1.0, 0.0, 1.0}) {
        const double low = std::max(begin[i], begin[j] + turn);
        const double high = std::min(begin[i] + probability[i], begin[j] + turn + probability[j]);
        shared += std::max(0.0, high - low);
      }
      result(i, j) = i == j ? probability[i] : std::min(shared, 1.0);
    }
  }
  return result;
}

// With odds l = p / (1 - p), a sample has a probability in proportion to the sum over its units of
// p times the product of the others' odds. Sums over samples of products of odds are those of a
// Poisson sample's size, and sum_i p_i e_m(-i) = sum over j <= m of (sum of p - j) e_j.
RowMatrix joint_sampford(const Eigen::VectorXd& probability) {
  check_fixed(probability);
  const Split parts = split(probability);
  const Eigen::VectorXd& p = parts.probability;
  const Eigen::Index units = p.size();
  const auto draws = static_cast<Eigen::Index>(std::llround(p.sum()));
  Eigen::VectorXd count = Eigen::VectorXd::Zero(units + 1);
  count[0] = 1;
  for (Eigen::Index i = 0; i < units; ++i) {
    for (Eigen::Index j = i + 1; j > 0; --j) {
      count[j] = (1 - p[i]) * count[j] + p[i] * count[j - 1];
    }
    count[0] *= 1 - p[i];
  }
  double all = 0;
  for (Eigen::Index j = 0; j < draws; ++j) {
    all += static_cast<double>(draws - j) * count[j];
  }
  RowMatrix result = probability * probability.transpose();  // of certain units
  const auto place = [&](Eigen::Index i) { return parts.open[static_cast<std::size_t>(i)]; };
  for (Eigen::Index k = 0; k < units && draws > 0; ++k) {
    const Eigen::VectorXd first = without(count, p[k]);
    for (Eigen::Index l = 0; l < k; ++l) {
      const Eigen::VectorXd rest = without(first.head(units), p[l]);
      double sum = 0;
      for (Eigen::Index j = 0; j <= draws - 3; ++j) {
        sum += (static_cast<double>(draws - j) - p[k] - p[l]) * rest[j];
      }
      const double both = p[k] * p[l];
      const double edge = draws < 2 ? 0 : (2 - p[k] - p[l]) * rest[draws - 2];
      const double joint = both * (edge + sum) / all;
      result(place(k), place(l)) = joint;
      result(place(l), place(k)) = joint;
    }
  }
  result.diagonal() = probability;
  return result;
}

RowMatrix joint_tille(const Eigen::VectorXd& size, std::int64_t draws) {
  const Eigen::VectorXd wanted = inclusion_probabilities(size, draws);
  const Eigen::Index n = size.size();
  RowMatrix result = RowMatrix::Ones(n, n);
  Eigen::VectorXd before = (size.array() > 0).cast<double>();
  for (std::int64_t k = (size.array() > 0).count() - 1; k >= draws; --k) {
    const Eigen::VectorXd p = inclusion_probabilities(size, k);
    const Eigen::VectorXd leaves =
        (before.array() > 0).select(1 - p.array() / before.array().max(1e-300), 0);
    for (Eigen::Index i = 0; i < n; ++i) {
      result.row(i).array() *= (1 - leaves[i]) - leaves.transpose().array();
    }
    before = p;
  }
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      result(i, j) = wanted[i] > 0 && wanted[j] > 0 ? std::max(0.0, result(i, j)) : 0;
    }
  }
  result.diagonal() = wanted;
  return result;
}

}  // namespace steelyard
