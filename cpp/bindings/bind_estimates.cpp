#include <pybind11/stl.h>

#include <algorithm>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/degrees_of_freedom.hpp"
#include "steelyard/estimates.hpp"

namespace steelyard::bindings {

void bind_estimates(py::module_& m) {
  py::class_<Estimates>(m, "Estimates", "Values and their deviations: all that inference needs.")
      .def_property_readonly("values", [](const Estimates& e) { return to_array(e.values); })
      .def_property_readonly("standard_errors",
                             [](const Estimates& e) { return to_array(e.standard_errors()); })
      .def_property_readonly("covariance",
                             [](const Estimates& e) { return to_array(RowMatrix(e.covariance())); })
      .def_property_readonly("deviations",
                             [](const Estimates& e) { return to_array(e.deviations.matrix); })
      .def_property_readonly("unit_keys",
                             [](const Estimates& e) { return to_array(e.deviations.units); })
      .def_property_readonly("stratum_keys",
                             [](const Estimates& e) { return to_array(e.deviations.strata); })
      .def_property_readonly("sample_keys",
                             [](const Estimates& e) { return to_array(e.deviations.samples); })
      .def_property_readonly(
          "counted",
          [](const Estimates& e) {
            const std::vector<char>& counted = e.deviations.counted;
            return to_array(std::vector<std::uint8_t>(counted.begin(), counted.end()));
          })
      .def_property_readonly("fractions",
                             [](const Estimates& e) { return to_array(e.deviations.fractions); })
      .def_property_readonly("signs",
                             [](const Estimates& e) { return to_array(e.deviations.signs); })
      .def_property_readonly("counted_units",
                             [](const Estimates& e) {
                               const std::vector<char>& counted = e.deviations.counted;
                               return std::count(counted.begin(), counted.end(), 1);
                             })
      .def_property_readonly("by_unit", [](const Estimates& e) { return e.deviations.by_unit; })
      .def_property_readonly("degrees_of_freedom", &Estimates::degrees_of_freedom)
      .def_property_readonly(
          "satterthwaite", [](const Estimates& e) { return to_array(satterthwaite(e.deviations)); },
          "Degrees of freedom of each estimate where strata vary by different amounts.")
      .def_static(
          "restored",
          [](const Array<double>& values, const Array<double>& deviations,
             const Array<std::uint64_t>& units, const Array<std::uint64_t>& strata,
             const Array<std::uint8_t>& counted, const Array<std::uint64_t>& samples,
             const Array<double>& fractions, const Array<double>& signs, double degrees_of_freedom,
             bool by_unit) {
            Deviations kept;
            kept.matrix = to_matrix(deviations);
            kept.units = to_vector(units);
            kept.strata = to_vector(strata);
            const std::vector<std::uint8_t> counts = to_vector(counted);
            kept.counted.assign(counts.begin(), counts.end());
            kept.samples = to_vector(samples);
            kept.fractions = to_vector(fractions);
            kept.signs = to_eigen(signs);
            kept.degrees_of_freedom = degrees_of_freedom;
            kept.by_unit = by_unit;
            check(kept);
            if (values.size() != kept.estimates()) {
              throw std::invalid_argument("there is a column of deviations for every value");
            }
            return Estimates{to_eigen(values), std::move(kept)};
          },
          py::arg("values").noconvert(), py::arg("deviations").noconvert(),
          py::arg("units").noconvert(), py::arg("strata").noconvert(),
          py::arg("counted").noconvert(), py::arg("samples").noconvert(),
          py::arg("fractions").noconvert(), py::arg("signs").noconvert(),
          py::arg("degrees_of_freedom"), py::arg("by_unit"), "Estimates as they were saved.")
      .def_static(
          "known",
          [](const Array<double>& values, const Array<double>& covariance, std::uint64_t identity) {
            const Eigen::VectorXd known = to_eigen(values);
            const RowMatrix matrix = to_matrix(covariance);
            if (matrix.rows() != known.size() || matrix.cols() != known.size()) {
              throw std::invalid_argument("a covariance has a row and a column for every value");
            }
            return Estimates{known, known_errors(matrix, identity)};
          },
          py::arg("values").noconvert(), py::arg("covariance").noconvert(), py::arg("identity"),
          "Values whose errors are known from elsewhere.")
      .def(
          "apart",
          [](const Estimates& e, std::uint64_t salt) {
            return Estimates{e.values, apart(e.deviations, salt)};
          },
          py::arg("salt"), "The same estimates, of a sample that shares nothing with another.")
      .def(
          "without_unnamed",
          [](const Estimates& e, std::uint64_t identity) {
            return Estimates{e.values, without_unnamed(e.deviations, identity)};
          },
          py::arg("identity"), "The same estimates without a row for each unit that has no name.")
      .def(
          "root",
          [](const Estimates& e, std::uint64_t identity) {
            const std::vector<std::uint64_t>& samples = e.deviations.samples;
            return Estimates{e.values, square_root(e.covariance(), e.degrees_of_freedom(), identity,
                                                   samples.empty() ? identity : samples.front())};
          },
          py::arg("identity"), "The same estimates without what each unit adds.")
      .def("__len__", &Estimates::size)
      .def("select", &Estimates::select, py::arg("indices"))
      .def(
          "contrast",
          [](const Estimates& e, const Array<double>& combinations) {
            return e.contrast(to_matrix(combinations));
          },
          py::arg("combinations").noconvert())
      .def(
          "delta",
          [](const Estimates& e, const Array<double>& values, const Array<double>& jacobian) {
            return e.delta(to_eigen(values), to_matrix(jacobian));
          },
          py::arg("values").noconvert(), py::arg("jacobian").noconvert());

  m.def("join", py::overload_cast<const Estimates&, const Estimates&>(&join), py::arg("first"),
        py::arg("second"), "Both side by side, covarying through the units they share.");
  m.def(
      "shared_units",
      [](const Estimates& first, const Estimates& second) {
        const SharedUnits shared = shared_units(first.deviations, second.deviations);
        return std::pair(shared.first_stage, shared.further);
      },
      py::arg("first"), py::arg("second"));
  m.def("two_sided_p_value", &two_sided_p_value, py::arg("value"), py::arg("se"),
        py::arg("degrees_of_freedom"), py::arg("null") = 0.0);
}

}  // namespace steelyard::bindings
