#include "steelyard/error.hpp"

#include <utility>

namespace steelyard {
namespace {

std::string rows_text(const Offence& offence) {
  std::string text = std::to_string(offence.count) + " row(s)";
  for (std::size_t i = 0; i < offence.rows.size(); ++i) {
    text += (i == 0 ? ", first: " : ", ") + std::to_string(offence.rows[i]);
  }
  return text;
}

std::string describe(InvalidColumn::Problem problem) {
  switch (problem) {
    case InvalidColumn::Problem::kNaN:
      return "is not a number";
    case InvalidColumn::Problem::kNegative:
      return "is negative";
    case InvalidColumn::Problem::kInfinite:
      return "is infinite";
    case InvalidColumn::Problem::kAllZero:
      return "is zero everywhere";
    case InvalidColumn::Problem::kMissing:
      return "is missing";
    case InvalidColumn::Problem::kWrongLength:
      return "has another number of rows than the sample";
  }
  return "is invalid";
}

std::string describe(DesignError::Problem problem) {
  switch (problem) {
    case DesignError::Problem::kLonelyStratum:
      return "a stratum has a single unit";
    case DesignError::Problem::kUnitInTwoStrata:
      return "a unit stands in two strata";
    case DesignError::Problem::kFpcVaries:
      return "the finite population correction varies within a stratum";
    case DesignError::Problem::kFpcBelowSample:
      return "a stratum's population is smaller than its sample";
    case DesignError::Problem::kFpcMixed:
      return "the finite population correction mixes fractions and counts";
    case DesignError::Problem::kNoDegreesOfFreedom:
      return "the design has no degrees of freedom";
    case DesignError::Problem::kFractionVaries:
      return "the sampling fraction varies within a unit";
    case DesignError::Problem::kFractionNeeded:
      return "a unit's own sampling fraction is not above 0 and at most 1";
    case DesignError::Problem::kLonelyInDomain:
      return "a stratum has a single unit in a domain";
  }
  return "the design is invalid";
}

std::string describe(FitError::Problem problem) {
  switch (problem) {
    case FitError::Problem::kSeparation:
      return "columns tell the responses apart without error, so that coefficients are infinite";
    case FitError::Problem::kNoConvergence:
      return "the fit did not converge";
    case FitError::Problem::kNothingToFit:
      return "there is nothing to fit";
    case FitError::Problem::kOutOfRange:
      return "the response lies outside the range of the family";
    case FitError::Problem::kEmptyCategory:
      return "a category of the response has no row";
  }
  return "the model cannot be fitted";
}

std::string describe(WeightingError::Problem problem) {
  switch (problem) {
    case WeightingError::Problem::kEmptyControl:
      return "a control has a total, and no row with a weight";
    case WeightingError::Problem::kDisagreement:
      return "totals of controls contradict each other";
    case WeightingError::Problem::kNotMet:
      return "no weights within the bounds add up to the totals";
    case WeightingError::Problem::kNobodyLeft:
      return "there is no row to share weights out to";
    case WeightingError::Problem::kNegativeWeight:
      return "there are negative weights";
    case WeightingError::Problem::kNegativeReplicate:
      return "a replicate has negative weights";
  }
  return "weights cannot be found";
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? " ('" : ", '") + name + "'";
  }
  return text.empty() ? text : text + ")";
}

std::string codes_text(const std::vector<std::int32_t>& codes) {
  std::string text;
  for (std::size_t i = 0; i < codes.size() && i < Offence::kShown; ++i) {
    text += (i == 0 ? " (codes " : ", ") + std::to_string(codes[i]);
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

void Offence::add(std::int64_t row) {
  ++count;
  if (rows.size() < kShown) {
    rows.push_back(row);
  }
}

InvalidColumn::InvalidColumn(std::string column_name, Problem what_problem, Offence where)
    : std::invalid_argument("column '" + column_name + "' " + describe(what_problem) + " in " +
                            rows_text(where)),
      column(std::move(column_name)),
      problem(what_problem),
      offence(std::move(where)) {}

DesignError::DesignError(Problem what_problem, std::vector<std::int32_t> which, Offence where,
                         int of_stage)
    : std::runtime_error(describe(what_problem) + codes_text(which) + ": " + rows_text(where)),
      problem(what_problem),
      codes(std::move(which)),
      offence(std::move(where)),
      stage(of_stage) {}

FitError::FitError(Problem what_problem, std::vector<std::string> which, Offence where,
                   std::vector<std::int32_t> categories)
    : std::runtime_error(describe(what_problem) + names_text(which) + codes_text(categories) +
                         (where.count > 0 ? ": " + rows_text(where) : "")),
      problem(what_problem),
      columns(std::move(which)),
      offence(std::move(where)),
      codes(std::move(categories)) {}

WeightingError::WeightingError(Problem what_problem, std::vector<Miss> which)
    : std::runtime_error(describe(what_problem) + " (" + std::to_string(which.size()) +
                         " control(s))"),
      problem(what_problem),
      misses(std::move(which)) {}

}  // namespace steelyard
