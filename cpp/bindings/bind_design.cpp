#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/design.hpp"
#include "steelyard/joint_inclusion.hpp"
#include "steelyard/weighting.hpp"

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

JointVariance variance_of(const std::string& name) {
  return choose<JointVariance>("variance", name,
                               {{"horvitz-thompson", JointVariance::kHorvitzThompson},
                                {"yates-grundy", JointVariance::kYatesGrundy}});
}

void bind_forms(py::module_& m) {
  py::class_<VarianceForm>(m, "VarianceForm", "A variance as a quadratic form in unit totals.")
      .def_property_readonly("rows", &VarianceForm::rows);
  m.def(
      "from_joint_probabilities",
      [](const Array<double>& joint, const std::string& variance) {
        const Eigen::MatrixXd matrix = to_matrix(joint);
        const py::gil_scoped_release no_python_below;
        return from_joint_probabilities(matrix, variance_of(variance));
      },
      py::arg("joint").noconvert(), py::arg("variance"));
  m.def(
      "overton",
      [](const Array<double>& probability, const std::optional<Codes>& strata,
         const std::string& variance) {
        const Eigen::VectorXd p = to_eigen(probability);
        const py::gil_scoped_release no_python_below;
        return overton(p, strata.value_or(Codes()), variance_of(variance));
      },
      py::arg("probability").noconvert(), py::arg("strata"), py::arg("variance"));
  m.def(
      "hartley_rao",
      [](const Array<double>& probability, const std::optional<Codes>& strata,
         const std::optional<Array<double>>& sum_of_squares, const std::string& variance) {
        const Eigen::VectorXd p = to_eigen(probability);
        std::optional<Eigen::VectorXd> square;
        if (sum_of_squares) {
          square = to_eigen(*sum_of_squares);
        }
        const py::gil_scoped_release no_python_below;
        return hartley_rao(p, strata.value_or(Codes()), square, variance_of(variance));
      },
      py::arg("probability").noconvert(), py::arg("strata"), py::arg("sum_of_squares"),
      py::arg("variance"));
}

void bind_phases(py::module_& m) {
  py::class_<PhaseStage>(m, "PhaseStage", "One stage of a phase of sampling.")
      .def(py::init([](const std::optional<Codes>& strata, const std::optional<Codes>& units,
                       const Array<double>& probability, bool replacement) {
             return PhaseStage{strata.value_or(Codes()), units.value_or(Codes()),
                               to_eigen(probability), replacement};
           }),
           py::arg("strata"), py::arg("units"), py::arg("probability").noconvert(),
           py::arg("replacement"));
  m.def(
      "two_phase",
      [](const std::vector<PhaseStage>& first, const std::vector<PhaseStage>& second,
         const std::vector<Eigen::Index>& subsample) {
        const py::gil_scoped_release no_python_below;
        return two_phase(first, second, subsample);
      },
      py::arg("first"), py::arg("second"), py::arg("subsample"));
}

}  // namespace

void bind_design(py::module_& m) {
  bind_stage(m);
  bind_forms(m);
  bind_phases(m);
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
      .def_static(
          "with_form",
          [](Eigen::Index rows, const std::string& weights_name, const py::array& weights,
             const Stage::Columns& stage, const VarianceForm& form,
             std::optional<double> degrees_of_freedom) {
            const Column w = column_view(weights_name, weights);
            const py::gil_scoped_release no_python_below;
            return Design::with_form(rows, w, stage, form, degrees_of_freedom);
          },
          py::arg("rows"), py::arg("weights_name"), py::arg("weights").noconvert(),
          py::arg("stage"), py::arg("form"), py::arg("degrees_of_freedom"))
      .def(
          "with_weighting",
          [](const Design& design, const Weighting& weighting) {
            const py::gil_scoped_release no_python_below;
            return design.with_weighting(weighting);
          },
          py::arg("weighting"))
      .def(
          "with_replicates",
          [](const Design& design, const Replicates& replicates, std::optional<double> df) {
            const py::gil_scoped_release no_python_below;
            return design.with_replicates(replicates, df);
          },
          py::arg("replicates"), py::arg("degrees_of_freedom"))
      .def_property_readonly("replicates",
                             [](const Design& design) {
                               const Replicates* found = design.replicates();
                               return found == nullptr ? 0 : found->count();
                             })
      .def(
          "replicate_weights",
          [](const Design& design) {
            if (design.replicates() == nullptr) {
              throw py::value_error("the design has no replicates");
            }
            RowMatrix weights(design.rows(), design.replicates()->count());
            {
              const py::gil_scoped_release no_python_below;
              design.read_replicates(0, design.rows(), weights);
            }
            return to_array(weights);
          },
          "Weights of every row under every replicate.")
      .def_property_readonly("has_form", &Design::has_form)
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
          "row_weights",
          [](const Design& design) {
            Eigen::VectorXd weights(design.rows());
            const double* values = design.weights(0, design.rows(), weights.data());
            weights = Eigen::Map<const Eigen::VectorXd>(values, design.rows());
            return to_array(weights);
          },
          "Weight of each row.")
      .def(
          "row_fractions",
          [](const Design& design, std::size_t stage) {
            return to_array(design.row_fractions(stage));
          },
          py::arg("stage"), "Sampling fraction of each row's unit at a stage.")
      .def(
          "row_units",
          [](const Design& design, std::size_t stage) { return to_array(design.row_units(stage)); },
          py::arg("stage"), "Each row's unit at a stage.")
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
