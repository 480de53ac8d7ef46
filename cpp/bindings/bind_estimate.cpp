#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/design_effect.hpp"
#include "steelyard/distribution_function.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/estimator.hpp"
#include "steelyard/moments.hpp"
#include "steelyard/rank_score.hpp"
#include "steelyard/reliability.hpp"

namespace steelyard::bindings {
namespace {

std::vector<Column> column_views(const std::vector<std::string>& names,
                                 const std::vector<py::array>& columns) {
  std::vector<Column> views;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    views.push_back(column_view(names.at(i), columns[i]));
  }
  return views;
}

void bind_estimators(py::module_& m) {
  py::classh<Estimator>(m, "Estimator", "An estimator as an influence function.");
  m.def(
      "total",
      [](const std::string& name, const py::array& y) { return total(column_view(name, y)); },
      py::arg("name"), py::arg("y").noconvert());
  m.def(
      "mean",
      [](const std::string& name, const py::array& y) { return mean(column_view(name, y)); },
      py::arg("name"), py::arg("y").noconvert());
  m.def(
      "ratio",
      [](const std::string& y_name, const py::array& y, const std::string& x_name,
         const py::array& x) { return ratio(column_view(y_name, y), column_view(x_name, x)); },
      py::arg("y_name"), py::arg("y").noconvert(), py::arg("x_name"), py::arg("x").noconvert());
  m.def(
      "count",
      [](const Codes& levels, const Array<double>& sets) { return count(levels, to_matrix(sets)); },
      py::arg("levels"), py::arg("sets").noconvert());
  m.def(
      "proportion",
      [](const Codes& levels, const Array<double>& sets) {
        return proportion(levels, to_matrix(sets));
      },
      py::arg("levels"), py::arg("sets").noconvert());
  m.def(
      "distribution_function",
      [](const std::string& name, const py::array& y, const std::optional<Codes>& domains,
         const Array<double>& points) {
        const Column column = column_view(name, y);
        const RowMatrix wanted = to_matrix(points);
        const py::gil_scoped_release no_python_below;
        return distribution_function(column, Domains{domains.value_or(Codes())}, wanted);
      },
      py::arg("name"), py::arg("y").noconvert(), py::arg("domains"), py::arg("points").noconvert(),
      "Shares of values at or below some points, which ascend.");
  m.def(
      "moment",
      [](const std::string& which, const std::vector<std::string>& names,
         const std::vector<py::array>& columns, const Design& design,
         const std::optional<Codes>& domains) {
        const std::vector<Column> views = column_views(names, columns);
        const Moment moment_of = choose<Moment>("moment", which,
                                                {{"variance", Moment::kVariance},
                                                 {"sd", Moment::kStandardDeviation},
                                                 {"covariance", Moment::kCovariance},
                                                 {"correlation", Moment::kCorrelation}});
        const py::gil_scoped_release no_python_below;
        return moment(moment_of, views, design, Domains{domains.value_or(Codes())});
      },
      py::arg("which"), py::arg("names"), py::arg("columns"), py::arg("design"), py::arg("domains"),
      "A second central moment, by a first pass that finds the means.");
  m.def(
      "cronbach_alpha",
      [](const std::vector<std::string>& names, const std::vector<py::array>& items,
         const Design& design, const std::optional<Codes>& domains) {
        const std::vector<Column> views = column_views(names, items);
        const py::gil_scoped_release no_python_below;
        return cronbach_alpha(views, design, Domains{domains.value_or(Codes())});
      },
      py::arg("names"), py::arg("items"), py::arg("design"), py::arg("domains"));
  m.def(
      "rank_scores",
      [](const Design& design, const std::optional<Codes>& domains, const std::string& name,
         const py::array& y, const std::string& score) {
        const RankScore chosen = choose<RankScore>("rank test", score,
                                                   {{"wilcoxon", RankScore::kWilcoxon},
                                                    {"van-der-waerden", RankScore::kVanDerWaerden},
                                                    {"median", RankScore::kMedian}});
        const Column column = column_view(name, y);
        return to_array(rank_scores(design, Domains{domains.value_or(Codes())}, column, chosen));
      },
      py::arg("design"), py::arg("domains"), py::arg("name"), py::arg("y").noconvert(),
      py::arg("score"), "The score of each row's estimated rank in the population.");
  m.def(
      "weighting_effect",
      [](const Design& design, const std::optional<Codes>& domains) {
        const WeightingEffect found = weighting_effect(design, Domains{domains.value_or(Codes())});
        return std::pair(to_array(found.effect), to_array(found.n));
      },
      py::arg("design"), py::arg("domains"), "Kish's effect of unequal weights, and n.");
}

}  // namespace

void bind_estimate(py::module_& m) {
  bind_estimators(m);
  py::class_<SampleKeys>(m, "SampleKeys", "Known names of a sample, its units and its strata.")
      .def(py::init([](std::uint64_t sample, const Array<std::uint64_t>& units,
                       const Array<std::uint64_t>& strata, std::optional<std::size_t> names) {
             SampleKeys keys{sample, to_vector(units), to_vector(strata)};
             keys.names = names.value_or(keys.units.size());
             return keys;
           }),
           py::arg("sample"), py::arg("units").noconvert(), py::arg("strata").noconvert(),
           py::arg("names") = py::none());
  py::class_<Estimated>(m, "Estimated", "Estimates with what must be said beside each.")
      .def_readonly("estimates", &Estimated::estimates)
      .def_property_readonly("used", [](const Estimated& e) { return to_array(e.used); })
      .def_property_readonly("missing", [](const Estimated& e) { return to_array(e.missing); })
      .def_property_readonly("units", [](const Estimated& e) { return to_array(e.units); })
      .def_property_readonly("strata", [](const Estimated& e) { return to_array(e.strata); })
      .def_property_readonly("sampled_units",
                             [](const Estimated& e) { return to_array(e.sampled_units); })
      .def_property_readonly("left_out", [](const Estimated& e) { return to_array(e.left_out); })
      .def_property_readonly("deff", [](const Estimated& e) { return to_array(e.deff); })
      .def_property_readonly("deff_replace",
                             [](const Estimated& e) { return to_array(e.deff_replace); });
  m.attr("KEPT_DEVIATIONS") = kKeptDeviations;
  m.def(
      "estimate",
      [](const Design& design, const SampleKeys& keys, const std::optional<Codes>& domains,
         const std::vector<EstimatorPtr>& estimators, int threads, Eigen::Index kept) {
        const py::gil_scoped_release no_python_below;
        return estimate(design, keys, Domains{domains.value_or(Codes())}, estimators, threads,
                        kept);
      },
      py::arg("design"), py::arg("keys"), py::arg("domains"), py::arg("estimators"),
      py::arg("threads") = 0, py::arg("kept") = kKeptDeviations,
      "Rows, sums of influence by unit, deviations: several estimators in one pass.");
}

}  // namespace steelyard::bindings
