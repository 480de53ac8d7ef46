#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/calibration.hpp"
#include "steelyard/estimates.hpp"
#include "steelyard/propensity.hpp"
#include "steelyard/trimming.hpp"
#include "steelyard/weight_summary.hpp"
#include "steelyard/weighting.hpp"

namespace steelyard::bindings {
namespace {

Distance distance_of(const std::string& name, double low, double high) {
  return {choose<Distance::Kind>("distance", name,
                                 {{"linear", Distance::Kind::kLinear},
                                  {"raking", Distance::Kind::kRaking},
                                  {"logit", Distance::Kind::kLogit},
                                  {"sinh", Distance::Kind::kSinh}}),
          {low, high}};
}

Calibration::Residuals residuals_of(const std::string& name) {
  return choose<Calibration::Residuals>("residuals", name,
                                        {{"before", Calibration::Residuals::kBefore},
                                         {"derivative", Calibration::Residuals::kDerivative}});
}

Calibration::Options options_of(const std::string& distance, double low, double high,
                                bool bounds_on_weights, const std::string& residuals,
                                const std::optional<py::array>& scale,
                                const std::optional<Codes>& clusters,
                                const std::optional<Array<double>>& slack,
                                const std::optional<Estimates>& estimated,
                                const std::optional<Array<double>>& shares) {
  Calibration::Options options;
  options.distance = distance_of(distance, low, high);
  options.bounds_on_weights = bounds_on_weights;
  options.residuals = residuals_of(residuals);
  options.scale = scale ? column_view("scale", *scale) : Column();
  options.clusters = clusters.value_or(Codes());
  options.slack = slack ? to_eigen(*slack) : Eigen::VectorXd();
  options.shares = shares ? to_eigen(*shares) : Eigen::VectorXd();
  if (estimated) {
    options.of_totals = estimated->deviations;
  }
  return options;
}

void bind_controls(py::module_& m) {
  py::class_<Controls>(m, "Controls", "Auxiliary variables whose totals are to be met.")
      .def(py::init([](const std::vector<Codes>& margins, const std::vector<std::string>& names,
                       const std::vector<py::array>& columns, const std::optional<Codes>& groups) {
             std::vector<Column> views;
             for (std::size_t i = 0; i < columns.size(); ++i) {
               views.push_back(column_view(names.at(i), columns[i]));
             }
             return Controls(margins, std::move(views), groups.value_or(Codes()));
           }),
           py::arg("margins"), py::arg("names"), py::arg("columns"), py::arg("groups"))
      .def_property_readonly("groups", &Controls::groups)
      .def_property_readonly("width", &Controls::width)
      .def(
          "totals",
          [](const Controls& controls, const Array<double>& factor) {
            const Eigen::VectorXd by_row = to_eigen(factor);
            RowMatrix totals;
            {
              const py::gil_scoped_release no_python_below;
              totals = controls.totals(by_row);
            }
            return to_array(totals);
          },
          py::arg("factor").noconvert(), "Sums of factor times controls: groups x controls.");
}

void bind_steps(py::module_& m) {
  py::classh<Adjustment>(m, "Adjustment", "One step of weighting.");
  py::classh<Calibration, Adjustment>(m, "Calibration", "Weights that add up to given totals.")
      .def(py::init([](const Controls& controls, const Array<double>& totals,
                       const std::string& distance, double low, double high, bool bounds_on_weights,
                       const std::string& residuals, const std::optional<py::array>& scale,
                       const std::optional<Codes>& clusters,
                       const std::optional<Array<double>>& slack,
                       const std::optional<Estimates>& estimated,
                       const std::optional<Array<double>>& shares) {
             return std::make_shared<Calibration>(
                 controls, to_matrix(totals),
                 options_of(distance, low, high, bounds_on_weights, residuals, scale, clusters,
                            slack, estimated, shares));
           }),
           py::arg("controls"), py::arg("totals").noconvert(), py::arg("distance"), py::arg("low"),
           py::arg("high"), py::arg("bounds_on_weights"), py::arg("residuals"), py::arg("scale"),
           py::arg("clusters"), py::arg("slack"), py::arg("estimated"), py::arg("shares"))
      .def_static(
          "to_base", [](const Controls& controls) { return Calibration::to_base(controls, {}); },
          py::arg("controls"))
      .def_static(
          "to_sample",
          [](const Controls& controls, const Array<std::uint8_t>& stands,
             const Array<std::uint8_t>& counts, const std::string& distance, double low,
             double high) {
            return std::make_shared<Calibration>(
                controls, to_vector(stands), to_vector(counts),
                options_of(distance, low, high, false, "before", {}, {}, {}, {}, {}));
          },
          py::arg("controls"), py::arg("stands").noconvert(), py::arg("counts").noconvert(),
          py::arg("distance"), py::arg("low"), py::arg("high"));
  py::classh<Propensity, Adjustment>(m, "Propensity", "Weights over probabilities to respond.")
      .def(py::init([](const ModelMatrix& matrix, const py::array& responded,
                       const Array<std::uint8_t>& eligible, int classes) {
             return std::make_shared<Propensity>(matrix, column_view("responded", responded),
                                                 to_vector(eligible), classes);
           }),
           py::arg("matrix"), py::arg("responded").noconvert(), py::arg("eligible").noconvert(),
           py::arg("classes"));
  py::classh<Trimming, Adjustment>(m, "Trimming", "Weights brought inside bounds.")
      .def(py::init([](Eigen::Index rows, double low, double high, const std::string& unit,
                       const std::string& sharing, bool repeats, bool is_fixed,
                       const std::optional<Codes>& groups) {
             Trimming::Options options{
                 low, high, {}, {}, repeats, is_fixed, groups.value_or(Codes())};
             options.unit = choose<Trimming::Unit>("unit of bounds", unit,
                                                   {{"weight", Trimming::Unit::kWeight},
                                                    {"median", Trimming::Unit::kMedian},
                                                    {"mean", Trimming::Unit::kMean}});
             options.sharing =
                 choose<Trimming::Sharing>("sharing", sharing,
                                           {{"none", Trimming::Sharing::kNone},
                                            {"equal", Trimming::Sharing::kEqual},
                                            {"proportional", Trimming::Sharing::kProportional}});
             return std::make_shared<Trimming>(rows, std::move(options));
           }),
           py::arg("rows"), py::arg("low"), py::arg("high"), py::arg("unit"), py::arg("sharing"),
           py::arg("repeats"), py::arg("is_fixed"), py::arg("groups"));
}

void bind_summary(py::module_& m) {
  py::class_<WeightSummary>(m, "WeightSummary", "How unequal weights are.")
      .def_readonly("rows", &WeightSummary::rows)
      .def_readonly("sum", &WeightSummary::sum)
      .def_readonly("smallest", &WeightSummary::smallest)
      .def_readonly("median", &WeightSummary::median)
      .def_readonly("mean", &WeightSummary::mean)
      .def_readonly("largest", &WeightSummary::largest)
      .def_readonly("effect", &WeightSummary::effect)
      .def_readonly("top_share", &WeightSummary::top_share);
  py::class_<FactorRange>(m, "FactorRange", "By how much weights changed.")
      .def_readonly("smallest", &FactorRange::smallest)
      .def_readonly("largest", &FactorRange::largest)
      .def_readonly("negative", &FactorRange::negative);
}

void bind_chain(py::module_& m) {
  py::class_<Weighting>(m, "Weighting", "Weights as a chain of steps from those of the design.")
      .def(py::init([](const Array<double>& base) { return Weighting(to_eigen(base)); }),
           py::arg("base").noconvert())
      .def(
          "then",
          [](const Weighting& weighting, const AdjustmentPtr& step) {
            const py::gil_scoped_release no_python_below;
            return weighting.with(step);
          },
          py::arg("step"))
      .def_property_readonly("steps", &Weighting::steps)
      .def(
          "summary", [](const Weighting& w) { return summarise(w.weights()); },
          "Of the weights after the last step.")
      .def(
          "factor_range",
          [](const Weighting& before, const Weighting& after) {
            return factor_range(before.weights(), after.weights());
          },
          py::arg("after"))
      .def_property_readonly("base", [](const Weighting& w) { return to_array(w.base()); })
      .def_property_readonly("weights", [](const Weighting& w) { return to_array(w.weights()); })
      .def(
          "iterations", [](const Weighting& w, std::size_t k) { return w.step(k).iterations; },
          py::arg("step"))
      .def(
          "largest_error",
          [](const Weighting& w, std::size_t k) { return w.step(k).largest_error; },
          py::arg("step"))
      .def(
          "totals", [](const Weighting& w, std::size_t k) { return to_array(w.step(k).totals); },
          py::arg("step"));
}

}  // namespace

void bind_weighting(py::module_& m) {
  bind_controls(m);
  bind_steps(m);
  bind_summary(m);
  bind_chain(m);
}

}  // namespace steelyard::bindings
