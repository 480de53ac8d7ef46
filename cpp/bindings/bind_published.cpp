#include <pybind11/native_enum.h>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/published.hpp"

namespace steelyard::bindings {

void bind_published(py::module_& m) {
  py::native_enum<Rounding>(m, "Rounding", "enum.Enum")
      .value("half_up", Rounding::kHalfUp)
      .value("half_even", Rounding::kHalfEven)
      .value("half_down", Rounding::kHalfDown)
      .value("truncate", Rounding::kTruncate)
      .value("any", Rounding::kAny)
      .finalize();
  py::class_<ShareAudit>(m, "ShareAudit", "Can counts out of n give the printed share?")
      .def_readonly("lowest", &ShareAudit::lowest)
      .def_readonly("highest", &ShareAudit::highest)
      .def_readonly("below", &ShareAudit::below)
      .def_readonly("above", &ShareAudit::above)
      .def_readonly("excluded", &ShareAudit::excluded)
      .def_readonly("nearest_base", &ShareAudit::nearest_base)
      .def_property_readonly("possible", &ShareAudit::possible);
  m.def(
      "audit_share",
      [](std::int64_t digits, int decimals, int whole, std::int64_t n, Rounding rounding) {
        return audit_share({digits, decimals, whole}, n, rounding);
      },
      py::arg("digits"), py::arg("decimals"), py::arg("whole"), py::arg("n"),
      py::arg("rounding"));
  m.def("print_share", &print_share, py::arg("k"), py::arg("n"), py::arg("decimals"),
        py::arg("whole"), py::arg("rounding"));
}

}  // namespace steelyard::bindings
