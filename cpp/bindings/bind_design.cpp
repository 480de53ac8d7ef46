#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/design.hpp"

namespace steelyard::bindings {
namespace {

Lonely lonely_of(const std::string& name) {
  return choose<Lonely>("policy for lonely strata", name,
                        {{"fail", Lonely::kFail},
                         {"remove", Lonely::kRemove},
                         {"certainty", Lonely::kCertainty},
                         {"adjust", Lonely::kAdjust},
                         {"average", Lonely::kAverage}});
}

}  // namespace

void bind_design(py::module_& m) {
  py::class_<Design>(m, "Design", "A stratified sample of units, seen as a linear map.")
      .def(py::init([](Eigen::Index rows, const std::string& weights_name,
                       const std::optional<py::array>& weights, const std::optional<Codes>& strata,
                       const std::optional<Codes>& units, const std::string& fpc_name,
                       const std::optional<py::array>& fpc, const std::string& lonely) {
             const Column w = weights ? column_view(weights_name, *weights) : Column();
             const Column f = fpc ? column_view(fpc_name, *fpc) : Column();
             const py::gil_scoped_release no_python_below;
             return Design::stratified(rows, w, strata.value_or(Codes()), units.value_or(Codes()),
                                       f, lonely_of(lonely));
           }),
           py::arg("rows"), py::arg("weights_name"), py::arg("weights").noconvert(),
           py::arg("strata"), py::arg("units"), py::arg("fpc_name"), py::arg("fpc").noconvert(),
           py::arg("lonely"))
      .def_property_readonly("rows", &Design::rows)
      .def_property_readonly("units", &Design::units)
      .def_property_readonly("strata", &Design::strata)
      .def_property_readonly("degrees_of_freedom", &Design::degrees_of_freedom)
      .def_property_readonly("sampling_fractions",
                             [](const Design& design) {
                               Eigen::VectorXd result(design.strata());
                               for (Eigen::Index h = 0; h < design.strata(); ++h) {
                                 result[h] = design.stratum(h).fraction;
                               }
                               return to_array(result);
                             })
      .def(
          "deviations",
          [](const Design& design, const Array<double>& unit_totals) {
            RowMatrix totals = to_matrix(unit_totals);
            if (totals.rows() != design.units()) {
              throw py::value_error("one row a unit is needed");
            }
            {
              const py::gil_scoped_release no_python_below;
              design.deviate(totals);
            }
            return to_array(totals);
          },
          py::arg("unit_totals").noconvert());
}

}  // namespace steelyard::bindings
