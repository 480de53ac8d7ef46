#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/inequality.hpp"
#include "steelyard/poverty.hpp"

namespace steelyard::bindings {

void bind_inequality(py::module_& m) {
  m.def(
      "gini",
      [](const std::string& name, const py::array& y, const Design& design,
         const std::optional<Codes>& domains) {
        const Column column = column_view(name, y);
        const py::gil_scoped_release no_python_below;
        return gini(column, design, Domains{domains.value_or(Codes())});
      },
      py::arg("name"), py::arg("y").noconvert(), py::arg("design"), py::arg("domains"));
  m.def(
      "share_ratio",
      [](const std::string& name, const py::array& y, const Design& design,
         const std::optional<Codes>& domains, double richest, double poorest) {
        const Column column = column_view(name, y);
        const py::gil_scoped_release no_python_below;
        return share_ratio(column, design, Domains{domains.value_or(Codes())}, {richest, poorest});
      },
      py::arg("name"), py::arg("y").noconvert(), py::arg("design"), py::arg("domains"),
      py::arg("richest"), py::arg("poorest"));
  m.def(
      "share_below",
      [](const std::string& name, const py::array& y, const std::optional<Codes>& domains,
         double threshold) {
        return share_below(column_view(name, y), Domains{domains.value_or(Codes())}, threshold);
      },
      py::arg("name"), py::arg("y").noconvert(), py::arg("domains"), py::arg("threshold"));
  py::class_<PovertyLine>(m, "PovertyLine", "A poverty line that the sample sets, or a fixed one.")
      .def(py::init([](const std::string& name, const py::array& y, const Design& design,
                       double share, double probability, std::optional<double> fixed) {
             const Column column = column_view(name, y);
             PovertyLine::Options options;
             options.share = share;
             options.probability = probability;
             options.fixed = fixed;
             const py::gil_scoped_release no_python_below;
             return PovertyLine(design, Domains{}, column, options);
           }),
           py::arg("name"), py::arg("y").noconvert(), py::arg("design"), py::arg("share"),
           py::arg("probability"), py::arg("fixed"))
      .def_property_readonly("threshold_value",
                             [](const PovertyLine& line) { return line.thresholds()[0]; })
      .def("threshold", &PovertyLine::threshold)
      .def(
          "rate",
          [](const PovertyLine& line, const std::optional<Codes>& groups, std::int32_t code) {
            return line.rate({groups.value_or(Codes()), code});
          },
          py::arg("groups"), py::arg("code"))
      .def(
          "gap",
          [](const PovertyLine& line, const std::optional<Codes>& groups, std::int32_t code) {
            return line.gap({groups.value_or(Codes()), code});
          },
          py::arg("groups"), py::arg("code"));
}

}  // namespace steelyard::bindings
