#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/published.hpp"

namespace steelyard::bindings {
namespace {

Rounding rounding_of(const std::string& name) {
  return choose<Rounding>("rounding", name,
                          {{"half_up", Rounding::kHalfUp},
                           {"half_even", Rounding::kHalfEven},
                           {"half_down", Rounding::kHalfDown},
                           {"truncate", Rounding::kTruncate},
                           {"any", Rounding::kAny}});
}

}  // namespace

void bind_published(py::module_& m) {
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
      [](std::int64_t digits, int decimals, int whole, std::int64_t n,
         const std::string& rounding) {
        return audit_share({digits, decimals, whole}, n, rounding_of(rounding));
      },
      py::arg("digits"), py::arg("decimals"), py::arg("whole"), py::arg("n"), py::arg("rounding"));
  m.def("share_variance", &share_variance, py::arg("share"), py::arg("n"), py::arg("deff"));
  m.def(
      "print_share",
      [](std::int64_t k, std::int64_t n, int decimals, int whole, const std::string& rounding) {
        return print_share(k, n, decimals, whole, rounding_of(rounding));
      },
      py::arg("k"), py::arg("n"), py::arg("decimals"), py::arg("whole"), py::arg("rounding"));
}

}  // namespace steelyard::bindings
