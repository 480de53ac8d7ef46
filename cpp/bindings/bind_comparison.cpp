#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "interval_choice.hpp"
#include "steelyard/change.hpp"
#include "steelyard/decomposition.hpp"
#include "steelyard/equivalence.hpp"
#include "steelyard/multiplicity.hpp"
#include "steelyard/trend.hpp"

namespace steelyard::bindings {
namespace {

ChangeKind change_of(const std::string& name) {
  return choose<ChangeKind>("kind of change", name,
                            {{"difference", ChangeKind::kDifference},
                             {"ratio", ChangeKind::kRatio},
                             {"relative", ChangeKind::kRelative},
                             {"log-odds", ChangeKind::kLogOdds}});
}

LinkKind link_of(const std::string& name) {
  return choose<LinkKind>("kind of link", name,
                          {{"shift", LinkKind::kShift}, {"scale", LinkKind::kScale}});
}

Multiplicity multiplicity_of(const std::string& name) {
  return choose<Multiplicity>("adjustment of p-values", name,
                              {{"bonferroni", Multiplicity::kBonferroni},
                               {"holm", Multiplicity::kHolm},
                               {"hochberg", Multiplicity::kHochberg},
                               {"benjamini-hochberg", Multiplicity::kBenjaminiHochberg}});
}

Reference reference_of(const std::string& name) {
  return choose<Reference>("reference of a decomposition", name,
                           {{"average", Reference::kAverage},
                            {"before", Reference::kBefore},
                            {"after", Reference::kAfter}});
}

void bind_change(py::module_& m) {
  m.def(
      "change",
      [](const Estimates& before, const Estimates& after, const std::string& kind) {
        return change(before, after, change_of(kind));
      },
      py::arg("before"), py::arg("after"), py::arg("kind"),
      "Changes of as many estimates, with the covariance of what both sides share.");
  m.def(
      "correlations",
      [](const Estimates& before, const Estimates& after) {
        return to_array(correlations(before, after));
      },
      py::arg("before"), py::arg("after"));
  m.def(
      "link",
      [](const Estimates& old, const Estimates& by, const std::string& kind) {
        return link(old, by, link_of(kind));
      },
      py::arg("old"), py::arg("by"), py::arg("kind"),
      "Estimates of an old series as they would be in the new one.");
}

void bind_multiplicity(py::module_& m) {
  py::class_<MaxT>(m, "MaxT", "The most extreme of several t statistics.")
      .def_readonly("critical", &MaxT::critical)
      .def_property_readonly("p_values", [](const MaxT& t) { return to_array(t.p_values); });
  m.def(
      "adjusted_p_values",
      [](const Array<double>& p_values, const std::string& adjustment) {
        return to_array(adjusted_p_values(to_eigen(p_values), multiplicity_of(adjustment)));
      },
      py::arg("p_values").noconvert(), py::arg("adjustment"));
  m.def(
      "max_t",
      [](const Estimates& estimates, const Array<double>& null, double degrees_of_freedom,
         const std::string& side, double level, Eigen::Index draws, std::uint64_t seed,
         int threads) {
        const Eigen::VectorXd hypothesis = to_eigen(null);
        const Side extreme = side_of(side);
        const py::gil_scoped_release no_python_below;
        return max_t(estimates, hypothesis, degrees_of_freedom, extreme, level, draws, seed,
                     threads);
      },
      py::arg("estimates"), py::arg("null").noconvert(), py::arg("degrees_of_freedom"),
      py::arg("side"), py::arg("level"), py::arg("draws"), py::arg("seed"), py::arg("threads") = 0);
}

void bind_equivalence(py::module_& m) {
  py::class_<Equivalence>(m, "Equivalence", "Does a value lie within margins?")
      .def_readonly("above_low", &Equivalence::above_low)
      .def_readonly("below_high", &Equivalence::below_high)
      .def_readonly("p_value", &Equivalence::p_value)
      .def_property_readonly("interval", [](const Equivalence& e) {
        return std::pair(e.interval.low, e.interval.high);
      });
  m.def("equivalence", &equivalence, py::arg("value"), py::arg("se"), py::arg("degrees_of_freedom"),
        py::arg("low"), py::arg("high"), py::arg("alpha"));
  m.def("minimum_detectable", &minimum_detectable, py::arg("se"), py::arg("degrees_of_freedom"),
        py::arg("level"), py::arg("power"));
}

void bind_trend(py::module_& m) {
  m.def(
      "trend_contrasts",
      [](const Array<double>& times, const Array<double>& weights, int degree) {
        return to_array(RowMatrix(trend_contrasts(to_eigen(times), to_eigen(weights), degree)));
      },
      py::arg("times").noconvert(), py::arg("weights").noconvert(), py::arg("degree"));
  m.def(
      "joinpoint_contrasts",
      [](const Array<double>& times, const Array<double>& weights) {
        return to_array(RowMatrix(joinpoint_contrasts(to_eigen(times), to_eigen(weights))));
      },
      py::arg("times").noconvert(), py::arg("weights").noconvert());
  m.def(
      "step_contrasts",
      [](Eigen::Index periods) { return to_array(RowMatrix(step_contrasts(periods))); },
      py::arg("periods"));
  m.def(
      "average_contrasts",
      [](const Array<double>& weights, Eigen::Index window) {
        return to_array(RowMatrix(average_contrasts(to_eigen(weights), window)));
      },
      py::arg("weights").noconvert(), py::arg("window"));
}

void bind_decomposition(py::module_& m) {
  m.def(
      "kitagawa",
      [](const Estimates& parts, const std::string& reference) {
        return kitagawa(parts, reference_of(reference));
      },
      py::arg("parts"), py::arg("reference"),
      "A change of a rate, parted into what rates of groups and what their mix did.");
  m.def(
      "oaxaca",
      [](const Estimates& parts, const std::string& reference) {
        return oaxaca(parts, reference_of(reference));
      },
      py::arg("parts"), py::arg("reference"),
      "A change of a mean, parted into what coefficients and what means of variables did.");
  m.def("standardised", &standardised, py::arg("rates"), py::arg("sizes"),
        "Rates of groups put together with given sizes of them.");
}

}  // namespace

void bind_comparison(py::module_& m) {
  bind_change(m);
  bind_multiplicity(m);
  bind_equivalence(m);
  bind_trend(m);
  bind_decomposition(m);
}

}  // namespace steelyard::bindings
