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
        return shared_units(first.deviations, second.deviations);
      },
      py::arg("first"), py::arg("second"));
  m.def("two_sided_p_value", &two_sided_p_value, py::arg("value"), py::arg("se"),
        py::arg("degrees_of_freedom"), py::arg("null") = 0.0);
}

}  // namespace steelyard::bindings
