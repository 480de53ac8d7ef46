#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/dual.hpp"

namespace steelyard::bindings {

void bind_dual(py::module_& m) {
  py::class_<Dual>(m, "Dual", "A number that knows its derivatives.")
      .def(py::init([](double value) { return Dual{value, {}}; }), py::arg("value"))
      .def_readonly("value", &Dual::value)
      .def_property_readonly("gradient", [](const Dual& a) { return to_array(a.gradient); })
      .def(-py::self)
      .def(py::self + py::self)
      .def(py::self - py::self)
      .def(py::self * py::self)
      .def(py::self / py::self)
      .def("__add__", [](const Dual& a, double b) { return a + Dual{b, {}}; })
      .def("__sub__", [](const Dual& a, double b) { return a - Dual{b, {}}; })
      .def("__mul__", [](const Dual& a, double b) { return a * Dual{b, {}}; })
      .def("__truediv__", [](const Dual& a, double b) { return a / Dual{b, {}}; })
      .def("__radd__", [](const Dual& a, double b) { return Dual{b, {}} + a; })
      .def("__rsub__", [](const Dual& a, double b) { return Dual{b, {}} - a; })
      .def("__rmul__", [](const Dual& a, double b) { return Dual{b, {}} * a; })
      .def("__rtruediv__", [](const Dual& a, double b) { return Dual{b, {}} / a; })
      .def("__pow__", [](const Dual& a, const Dual& b) { return pow(a, b); })
      .def("__pow__", [](const Dual& a, double b) { return pow(a, Dual{b, {}}); })
      .def("__rpow__", [](const Dual& a, double b) { return pow(Dual{b, {}}, a); })
      .def("exp", [](const Dual& a) { return exp(a); })
      .def("log", [](const Dual& a) { return log(a); })
      .def("sqrt", [](const Dual& a) { return sqrt(a); });

  m.def(
      "variables", [](const Array<double>& values) { return variables(to_eigen(values)); },
      py::arg("values").noconvert(), "The independent variables at `values`.");
}

}  // namespace steelyard::bindings
