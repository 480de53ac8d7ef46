#include <pybind11/stl.h>

#include "bindings.hpp"
#include "steelyard/error.hpp"

namespace py = pybind11;

namespace steelyard::bindings {
namespace {

const char* name_of(InvalidColumn::Problem problem) {
  switch (problem) {
    case InvalidColumn::Problem::kNaN:
      return "nan";
    case InvalidColumn::Problem::kNegative:
      return "negative";
    case InvalidColumn::Problem::kInfinite:
      return "infinite";
    case InvalidColumn::Problem::kAllZero:
      return "all_zero";
    case InvalidColumn::Problem::kMissing:
      return "missing";
    case InvalidColumn::Problem::kWrongLength:
      return "wrong_length";
  }
  return "invalid";
}

const char* name_of(DesignError::Problem problem) {
  switch (problem) {
    case DesignError::Problem::kLonelyStratum:
      return "lonely_stratum";
    case DesignError::Problem::kUnitInTwoStrata:
      return "unit_in_two_strata";
    case DesignError::Problem::kFpcVaries:
      return "fpc_varies";
    case DesignError::Problem::kFpcBelowSample:
      return "fpc_below_sample";
    case DesignError::Problem::kFpcMixed:
      return "fpc_mixed";
    case DesignError::Problem::kNoDegreesOfFreedom:
      return "no_degrees_of_freedom";
    case DesignError::Problem::kFractionVaries:
      return "fraction_varies";
    case DesignError::Problem::kFractionNeeded:
      return "fraction_needed";
    case DesignError::Problem::kLonelyInDomain:
      return "lonely_in_domain";
  }
  return "invalid";
}

const char* name_of(FitError::Problem problem) {
  switch (problem) {
    case FitError::Problem::kSeparation:
      return "separation";
    case FitError::Problem::kNoConvergence:
      return "no_convergence";
    case FitError::Problem::kNothingToFit:
      return "nothing_to_fit";
    case FitError::Problem::kOutOfRange:
      return "out_of_range";
    case FitError::Problem::kEmptyCategory:
      return "empty_category";
  }
  return "invalid";
}

const char* name_of(WeightingError::Problem problem) {
  switch (problem) {
    case WeightingError::Problem::kEmptyControl:
      return "empty_control";
    case WeightingError::Problem::kDisagreement:
      return "disagreement";
    case WeightingError::Problem::kNotMet:
      return "not_met";
    case WeightingError::Problem::kNobodyLeft:
      return "nobody_left";
    case WeightingError::Problem::kNegativeWeight:
      return "negative_weight";
    case WeightingError::Problem::kNegativeReplicate:
      return "negative_replicate";
  }
  return "invalid";
}

/// One tuple a total: group, control, wanted, found.
py::list to_list(const std::vector<WeightingError::Miss>& misses) {
  py::list result;
  for (const WeightingError::Miss& miss : misses) {
    result.append(py::make_tuple(miss.group, miss.control, miss.wanted, miss.found));
  }
  return result;
}

/// Raises the Python class with its fields as arguments: message, problem, column, count, rows,
/// codes, stage.
void raise(const py::object& type, const std::exception& error, const char* problem,
           const Offence& offence, const std::string& column,
           const std::vector<std::int32_t>& codes, int stage) {
  const py::tuple fields =
      py::make_tuple(error.what(), problem, column, offence.count, offence.rows, codes, stage);
  PyErr_SetObject(type.ptr(), fields.ptr());
}

}  // namespace

void bind_error(py::module_& m) {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> invalid_column;
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> design_error;
  invalid_column.call_once_and_store_result(
      [&] { return py::exception<InvalidColumn>(m, "InvalidColumn", PyExc_ValueError); });
  design_error.call_once_and_store_result(
      [&] { return py::exception<DesignError>(m, "DesignError", PyExc_RuntimeError); });
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> fit_error;
  fit_error.call_once_and_store_result(
      [&] { return py::exception<FitError>(m, "FitError", PyExc_RuntimeError); });
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> weighting_error;
  weighting_error.call_once_and_store_result(
      [&] { return py::exception<WeightingError>(m, "WeightingError", PyExc_RuntimeError); });
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) {
        std::rethrow_exception(pointer);
      }
    } catch (const InvalidColumn& error) {
      raise(invalid_column.get_stored(), error, name_of(error.problem), error.offence, error.column,
            {}, 0);
    } catch (const DesignError& error) {
      raise(design_error.get_stored(), error, name_of(error.problem), error.offence, {},
            error.codes, error.stage);
    } catch (const FitError& error) {
      const py::tuple fields = py::make_tuple(error.what(), name_of(error.problem), error.columns,
                                              error.offence.count, error.offence.rows, error.codes);
      PyErr_SetObject(fit_error.get_stored().ptr(), fields.ptr());
    } catch (const WeightingError& error) {
      const py::tuple fields =
          py::make_tuple(error.what(), name_of(error.problem), to_list(error.misses));
      PyErr_SetObject(weighting_error.get_stored().ptr(), fields.ptr());
    }
  });
}

}  // namespace steelyard::bindings
