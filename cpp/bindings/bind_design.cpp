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

Selection selection_of(const std::string& name) {
  return choose<Selection>("selection of units", name,
                           {{"equal", Selection::kEqual}, {"brewer", Selection::kBrewer}});
}

Design::Options options_of(const std::string& lonely, const std::optional<std::string>& domain,
                           const std::string& selection) {
  Design::Options options{lonely_of(lonely), std::nullopt, selection_of(selection)};
  if (domain) {
    options.lonely_domain = lonely_of(*domain);
  }
  return options;
}

void bind_stage(py::module_& m) {
  py::class_<Stage::Columns>(m, "Stage", "One stage of selection: its strata, units and fpc.")
      .def(py::init([](const std::optional<Codes>& strata, const std::optional<Codes>& units,
                       const std::string& fpc_name, const std::optional<py::array>& fpc) {
             return Stage::Columns{strata.value_or(Codes()), units.value_or(Codes()),
                                   fpc ? column_view(fpc_name, *fpc) : Column()};
           }),
           py::arg("strata"), py::arg("units"), py::arg("fpc_name"), py::arg("fpc").noconvert());
}

}  // namespace

void bind_design(py::module_& m) {
  bind_stage(m);
  py::class_<Design>(m, "Design", "A sample in stages, seen as a linear map.")
      .def(py::init([](Eigen::Index rows, const std::string& weights_name,
                       const std::optional<py::array>& weights,
                       const std::vector<Stage::Columns>& stages, const std::string& lonely,
                       const std::optional<std::string>& lonely_domain,
                       const std::string& selection) {
             const Column w = weights ? column_view(weights_name, *weights) : Column();
             const Design::Options options = options_of(lonely, lonely_domain, selection);
             const py::gil_scoped_release no_python_below;
             return Design::sampled(rows, w, stages, options);
           }),
           py::arg("rows"), py::arg("weights_name"), py::arg("weights").noconvert(),
           py::arg("stages"), py::arg("lonely"), py::arg("lonely_domain"), py::arg("selection"))
      .def_property_readonly("rows", &Design::rows)
      .def_property_readonly("units", [](const Design& design) { return design.first().units(); })
      .def_property_readonly("stages", [](const Design& design) { return design.stages().size(); })
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
              throw py::value_error("one row a unit of the last stage is needed");
            }
            {
              const py::gil_scoped_release no_python_below;
              totals = design.deviate(std::move(totals));
            }
            return to_array(totals);
          },
          py::arg("unit_totals").noconvert(), "Deviations of totals by unit of the last stage.");
}

}  // namespace steelyard::bindings
