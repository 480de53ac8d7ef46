#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace steelyard {

/// Where the input is wrong: how many rows, and the first few of them, counted from 0.
struct Offence {
  std::int64_t count = 0;
  std::vector<std::int64_t> rows;

  static constexpr std::size_t kShown = 5;
  /// Counts `row`, and keeps it when it is among the first.
  void add(std::int64_t row);
};

/// A column holds values that its role does not allow. Names rows, never values.
class InvalidColumn : public std::invalid_argument {
 public:
  enum class Problem { kNaN, kNegative, kInfinite, kAllZero, kMissing, kWrongLength };

  InvalidColumn(std::string column, Problem problem, Offence offence);

  std::string column;
  Problem problem;
  Offence offence;
};

/// A design that cannot support an estimate.
class DesignError : public std::runtime_error {
 public:
  enum class Problem {
    kLonelyStratum,       ///< codes: the strata with one unit
    kUnitInTwoStrata,     ///< codes: the units; rows: one row in each second stratum
    kFpcVaries,           ///< codes: the strata in which fpc is not constant
    kFpcBelowSample,      ///< codes: the strata with a population smaller than the sample
    kFpcMixed,            ///< some values are fractions and some are counts
    kNoDegreesOfFreedom,  ///< as many strata as units
    kFractionVaries,      ///< codes: the units in which their own sampling fraction is not constant
    kFractionNeeded,      ///< codes or rows: units whose own fraction is not above 0 and at most 1
    kLonelyInDomain,      ///< codes: the strata of which one unit has rows in a domain
  };

  /// @param stage of selection, counted from 0, that the codes belong to.
  DesignError(Problem problem, std::vector<std::int32_t> codes, Offence offence, int stage = 0);

  Problem problem;
  std::vector<std::int32_t> codes;
  Offence offence;
  int stage;
};

/// A model that cannot be fitted to the rows it was given.
class FitError : public std::runtime_error {
 public:
  enum class Problem {
    kSeparation,     ///< columns: those whose coefficients are infinite
    kNoConvergence,  ///< columns: those still moving
    kNothingToFit,   ///< no row is complete, or no column varies
    kOutOfRange,     ///< columns: the response; offence: rows that the family does not allow
    kEmptyCategory,  ///< codes: the categories of the response without a row
  };

  FitError(Problem problem, std::vector<std::string> columns, Offence offence = {},
           std::vector<std::int32_t> codes = {});

  Problem problem;
  std::vector<std::string> columns;
  Offence offence;
  std::vector<std::int32_t> codes;
};

/// Weights that cannot be found.
class WeightingError : public std::runtime_error {
 public:
  enum class Problem {
    kEmptyControl,      ///< totals are wanted of what no row with a weight has
    kDisagreement,      ///< totals that contradict each other
    kNotMet,            ///< totals that no weights within the bounds add up to
    kNobodyLeft,        ///< nothing to share the weight of rows out to
    kNegativeWeight,    ///< a step that needs weights of at least 0 has others
    kNegativeReplicate  ///< nothing can be fitted or ranked by the weights of a replicate
  };
  /// One total: the group, the control, what is wanted and what the weights came to.
  struct Miss {
    std::int32_t group;
    std::int32_t control;
    double wanted;
    double found;
  };

  explicit WeightingError(Problem problem, std::vector<Miss> misses = {});

  Problem problem;
  std::vector<Miss> misses;
};

}  // namespace steelyard
