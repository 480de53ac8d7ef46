#include "steelyard/joint_inclusion.hpp"

#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace steelyard {
namespace {

/// (pi_i pi_j - pi_ij) / pi_ij has rows that add up to nothing: only differences of units count.
void centre_rows(Eigen::MatrixXd& coefficients) {
  coefficients.diagonal().setZero();
  const Eigen::VectorXd sums = coefficients.rowwise().sum();
  coefficients.diagonal() = -sums;
}

/// Units that are joined by a coefficient, directly or through others.
std::vector<std::vector<Eigen::Index>> components(const Eigen::MatrixXd& coefficients) {
  std::vector<std::vector<Eigen::Index>> result;
  std::vector<char> seen(static_cast<std::size_t>(coefficients.rows()), 0);
  for (Eigen::Index start = 0; start < coefficients.rows(); ++start) {
    if (seen[static_cast<std::size_t>(start)] != 0) {
      continue;
    }
    std::vector<Eigen::Index> members{start};
    seen[static_cast<std::size_t>(start)] = 1;
    for (std::size_t at = 0; at < members.size(); ++at) {
      for (Eigen::Index other = 0; other < coefficients.rows(); ++other) {
        if (seen[static_cast<std::size_t>(other)] == 0 && coefficients(members[at], other) != 0) {
          seen[static_cast<std::size_t>(other)] = 1;
          members.push_back(other);
        }
      }
    }
    result.push_back(std::move(members));
  }
  return result;
}

/// @param units that the rows of coefficients are of.
VarianceForm in_blocks(const Eigen::MatrixXd& coefficients,
                       const std::vector<Eigen::Index>& units) {
  std::vector<VarianceForm::Block> blocks;
  for (std::vector<Eigen::Index>& members : components(coefficients)) {
    Eigen::MatrixXd block = coefficients(members, members);
    for (Eigen::Index& member : members) {
      member = units[static_cast<std::size_t>(member)];
    }
    if (!block.isZero(0)) {
      blocks.push_back({std::move(members), std::move(block)});
    }
  }
  return VarianceForm(blocks);
}

std::vector<Eigen::Index> first_units(Eigen::Index count) {
  std::vector<Eigen::Index> units(static_cast<std::size_t>(count));
  std::iota(units.begin(), units.end(), Eigen::Index{0});
  return units;
}

void check_joint(const Eigen::MatrixXd& joint) {
  if (joint.rows() != joint.cols()) {
    throw std::invalid_argument("joint probabilities: one row and one column a unit");
  }
  for (Eigen::Index i = 0; i < joint.rows(); ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      const double most = std::min(joint(i, i), joint(j, j));
      const bool possible = joint(i, j) > 0 && joint(i, j) <= 1 && joint(i, j) <= most * (1 + 1e-9);
      if (!possible || std::abs(joint(i, j) - joint(j, i)) > 1e-9 * joint(i, j)) {
        throw std::invalid_argument(
            "joint probabilities: each above 0, at most that of either unit, and the same both "
            "ways; look at units " +
            std::to_string(j) + " and " + std::to_string(i));
      }
    }
  }
}

using PairCoefficient =
    std::function<double(Eigen::Index i, Eigen::Index j, double n, std::int32_t h)>;

/// Approximations of (pi_ij - pi_i pi_j) / pi_ij for the units of each stratum. Units that were
/// certain to be sampled have no part in it.
VarianceForm by_stratum(const Eigen::VectorXd& probability, const Codes& strata,
                        JointVariance variance, const PairCoefficient& coefficient) {
  std::vector<VarianceForm::Block> blocks(
      static_cast<std::size_t>(strata.size() == 0 ? 1 : strata.levels()));
  for (Eigen::Index unit = 0; unit < probability.size(); ++unit) {
    const std::int32_t h = strata.size() == 0 ? 0 : strata[unit];
    if (probability[unit] < 1) {
      blocks[static_cast<std::size_t>(h)].units.push_back(unit);
    }
  }
  for (std::size_t h = 0; h < blocks.size(); ++h) {
    const std::vector<Eigen::Index>& units = blocks[h].units;
    const auto size = static_cast<Eigen::Index>(units.size());
    if (size == 1) {
      throw std::invalid_argument("a stratum has a single unit that was not certain to be sampled");
    }
    VarianceForm::check_size(size);
    blocks[h].coefficients.resize(size, size);
    for (Eigen::Index i = 0; i < size; ++i) {
      for (Eigen::Index j = 0; j < size; ++j) {
        const Eigen::Index a = units[static_cast<std::size_t>(i)];
        const Eigen::Index b = units[static_cast<std::size_t>(j)];
        blocks[h].coefficients(i, j) =
            i == j ? 1 - probability[a]
                   : coefficient(a, b, static_cast<double>(size), static_cast<std::int32_t>(h));
      }
    }
    if (variance == JointVariance::kYatesGrundy) {
      centre_rows(blocks[h].coefficients);
    }
  }
  return VarianceForm(blocks);
}

/// What a stage adds: 1 - p within a unit, -(1 - p) / (n - 1) between units of a stratum.
Eigen::MatrixXd stage_coefficients(const PhaseStage& stage, const std::vector<Eigen::Index>& rows) {
  const auto unit = [&](Eigen::Index row) -> Eigen::Index {
    return stage.units.size() == 0 ? row : stage.units[row];
  };
  const auto stratum = [&](Eigen::Index row) {
    return stage.strata.size() == 0 ? 0 : stage.strata[row];
  };
  std::vector<double> units(
      static_cast<std::size_t>(stage.strata.size() == 0 ? 1 : stage.strata.levels()), 0);
  std::vector<char> seen(static_cast<std::size_t>(stage.units.size() == 0 ? stage.probability.size()
                                                                          : stage.units.levels()),
                         0);
  for (Eigen::Index row = 0; row < stage.probability.size(); ++row) {
    char& known = seen[static_cast<std::size_t>(unit(row))];
    units[static_cast<std::size_t>(stratum(row))] += known == 0 ? 1 : 0;
    known = 1;
  }
  const auto size = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd result(size, size);
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      const Eigen::Index a = rows[static_cast<std::size_t>(i)];
      const Eigen::Index b = rows[static_cast<std::size_t>(j)];
      const double left = 1 - (stage.probability[a] + stage.probability[b]) / 2;
      double value = 0;
      if (unit(a) == unit(b)) {
        value = left;
      } else if (stratum(a) == stratum(b) && !stage.replacement) {
        value = -left / (units[static_cast<std::size_t>(stratum(a))] - 1);
      }
      result(i, j) = value;
      result(j, i) = value;
    }
  }
  return result;
}

/// pi_i pi_j / pi_ij, which multiplies over stages and phases.
Eigen::MatrixXd phase_independence(std::span<const PhaseStage> stages,
                                   const std::vector<Eigen::Index>& rows) {
  const auto size = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd independent = Eigen::MatrixXd::Ones(size, size);
  for (const PhaseStage& stage : stages) {
    independent.array() *= 1 - stage_coefficients(stage, rows).array();
  }
  return independent;
}

}  // namespace

VarianceForm from_joint_probabilities(const Eigen::MatrixXd& joint, JointVariance variance) {
  check_joint(joint);
  Eigen::MatrixXd coefficients(joint.rows(), joint.cols());
  for (Eigen::Index i = 0; i < joint.rows(); ++i) {
    for (Eigen::Index j = 0; j < joint.cols(); ++j) {
      // Independent selections, written with rounding, have no covariance.
      const double value = i == j ? 1 - joint(i, i) : 1 - joint(i, i) * joint(j, j) / joint(i, j);
      coefficients(i, j) = std::abs(value) < 1e-14 ? 0 : value;
    }
  }
  if (variance == JointVariance::kYatesGrundy) {
    centre_rows(coefficients);
  }
  return in_blocks(coefficients, first_units(joint.rows()));
}

VarianceForm overton(const Eigen::VectorXd& probability, const Codes& stratum_of_unit,
                     JointVariance variance) {
  return by_stratum(probability, stratum_of_unit, variance,
                    [&](Eigen::Index i, Eigen::Index j, double n, std::int32_t) {
                      return 1 - (n - (probability[i] + probability[j]) / 2) / (n - 1);
                    });
}

VarianceForm hartley_rao(const Eigen::VectorXd& probability, const Codes& stratum_of_unit,
                         const std::optional<Eigen::VectorXd>& sum_of_squares,
                         JointVariance variance) {
  const Eigen::Index strata = stratum_of_unit.size() == 0 ? 1 : stratum_of_unit.levels();
  if (sum_of_squares && sum_of_squares->size() != strata) {
    throw std::invalid_argument("the population's sum of squares: one value a stratum");
  }
  Eigen::VectorXd units = Eigen::VectorXd::Zero(strata);
  Eigen::VectorXd square = sum_of_squares.value_or(Eigen::VectorXd::Zero(strata));
  for (Eigen::Index unit = 0; unit < probability.size(); ++unit) {
    const Eigen::Index h = stratum_of_unit.size() == 0 ? 0 : stratum_of_unit[unit];
    const bool certain = probability[unit] >= 1;
    units[h] += certain ? 0 : 1;
    if (sum_of_squares) {
      square[h] -= certain ? 1 : 0;
    } else {
      square[h] += certain ? 0 : probability[unit];
    }
  }
  square = square.cwiseQuotient(units.cwiseMax(1.0));
  // The sum of squares is at most the sum of probabilities, which is n.
  if (square.minCoeff() < 0 || square.maxCoeff() > 1) {
    throw std::invalid_argument(
        "sum_of_squares: more than that of the units that were certain, and at most n");
  }
  return by_stratum(probability, stratum_of_unit, variance,
                    [&](Eigen::Index i, Eigen::Index j, double n, std::int32_t h) {
                      return 1 - (n - probability[i] - probability[j] + square[h]) / (n - 1);
                    });
}

VarianceForm two_phase(std::span<const PhaseStage> first, std::span<const PhaseStage> second,
                       const std::vector<Eigen::Index>& subsample) {
  VarianceForm::check_size(static_cast<Eigen::Index>(subsample.size()));
  const std::vector<Eigen::Index> own = first_units(static_cast<Eigen::Index>(subsample.size()));
  const Eigen::MatrixXd independent =
      phase_independence(first, subsample).cwiseProduct(phase_independence(second, own));
  return in_blocks((1 - independent.array()).matrix(), subsample);
}

}  // namespace steelyard
