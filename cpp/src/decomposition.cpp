#include "steelyard/decomposition.hpp"

#include <stdexcept>
#include <vector>

#include "steelyard/dual.hpp"

namespace steelyard {
namespace {

using Duals = std::vector<Dual>;

Dual scaled(double factor, const Dual& a) { return Dual{factor, {}} * a; }

Dual sum(const Duals& terms) {
  Dual total;
  for (const Dual& term : terms) {
    total = total + term;
  }
  return total;
}

Dual sum_of_products(const Duals& a, const Duals& b) {
  Dual total;
  for (std::size_t i = 0; i < a.size(); ++i) {
    total = total + a[i] * b[i];
  }
  return total;
}

Duals part(const Duals& all, std::size_t which, std::size_t size) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(which * size);
  return {first, first + static_cast<std::ptrdiff_t>(size)};
}

/// Sizes over their sum.
Duals shares(const Duals& sizes) {
  const Dual total = sum(sizes);
  Duals result;
  for (const Dual& size : sizes) {
    result.push_back(size / total);
  }
  return result;
}

Dual of_reference(const Dual& before, const Dual& after, Reference reference) {
  switch (reference) {
    case Reference::kBefore:
      return before;
    case Reference::kAfter:
      return after;
    case Reference::kAverage:
      return scaled(0.5, before + after);
  }
  throw std::invalid_argument("unknown reference of a decomposition");
}

/// What is summed over groups or coefficients: a weight (share, mean) times a value (rate,
/// coefficient), before and after.
struct Products {
  Duals weight_before;
  Duals weight_after;
  Duals value_before;
  Duals value_after;
};

Estimates carried(const Estimates& from, const Duals& results) {
  Eigen::VectorXd values(static_cast<Eigen::Index>(results.size()));
  Eigen::MatrixXd jacobian(values.size(), from.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    values[row] = results[i].value;
    if (results[i].gradient.size() > 0) {
      jacobian.row(row) = results[i].gradient.transpose();
    } else {
      jacobian.row(row).setZero();
    }
  }
  return from.delta(values, jacobian);
}

/// @param centre what values count from in the composition's part.
Estimates decomposed(const Estimates& from, const Products& of, Reference reference,
                     const Dual& centre) {
  Duals rates;
  Duals composition;
  for (std::size_t i = 0; i < of.value_before.size(); ++i) {
    const Dual weight = of_reference(of.weight_before[i], of.weight_after[i], reference);
    const Dual value = of_reference(of.value_before[i], of.value_after[i], reference);
    rates.push_back(weight * (of.value_after[i] - of.value_before[i]));
    composition.push_back((of.weight_after[i] - of.weight_before[i]) * (value - centre));
  }
  const Dual total = sum_of_products(of.weight_after, of.value_after) -
                     sum_of_products(of.weight_before, of.value_before);
  const Dual by_rates = sum(rates);
  const Dual by_composition = sum(composition);
  // With the averages the two parts are the whole, but for rounding.
  Dual interaction;
  if (reference != Reference::kAverage) {
    for (std::size_t i = 0; i < of.value_before.size(); ++i) {
      interaction = interaction + (of.weight_after[i] - of.weight_before[i]) *
                                      (of.value_after[i] - of.value_before[i]);
    }
    interaction = scaled(reference == Reference::kBefore ? 1 : -1, interaction);
  }
  Duals results = {total, by_rates, by_composition, interaction};
  results.insert(results.end(), rates.begin(), rates.end());
  results.insert(results.end(), composition.begin(), composition.end());
  return carried(from, results);
}

std::size_t size_of_part(const Estimates& parts) {
  if (parts.size() == 0 || parts.size() % 4 != 0) {
    throw std::invalid_argument("a decomposition needs four parts of the same size");
  }
  return static_cast<std::size_t>(parts.size()) / 4;
}

}  // namespace

Estimates kitagawa(const Estimates& parts, Reference reference) {
  const std::size_t groups = size_of_part(parts);
  const Duals all = variables(parts.values);
  const Products products{shares(part(all, 1, groups)), shares(part(all, 3, groups)),
                          part(all, 0, groups), part(all, 2, groups)};
  const Dual centre =
      of_reference(sum_of_products(products.weight_before, products.value_before),
                   sum_of_products(products.weight_after, products.value_after), reference);
  return decomposed(parts, products, reference, centre);
}

Estimates oaxaca(const Estimates& parts, Reference reference) {
  const std::size_t size = size_of_part(parts);
  const Duals all = variables(parts.values);
  return decomposed(
      parts, {part(all, 1, size), part(all, 3, size), part(all, 0, size), part(all, 2, size)},
      reference, Dual{});
}

Estimates standardised(const Estimates& rates, const Estimates& sizes) {
  if (rates.size() != sizes.size() || rates.size() == 0) {
    throw std::invalid_argument("there is a size for every rate");
  }
  const Estimates both = join(rates, sizes);
  const Duals all = variables(both.values);
  const auto groups = static_cast<std::size_t>(rates.size());
  return carried(both, {sum_of_products(shares(part(all, 1, groups)), part(all, 0, groups))});
}

}  // namespace steelyard
