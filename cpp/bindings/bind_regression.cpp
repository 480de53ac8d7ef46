#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/bias_reduction.hpp"
#include "steelyard/column_means.hpp"
#include "steelyard/ordinal.hpp"
#include "steelyard/prediction.hpp"
#include "steelyard/regression.hpp"

namespace steelyard::bindings {
namespace {

Family family_of(const std::string& name) {
  return choose<Family>("family", name,
                        {{"gaussian", Family::kGaussian},
                         {"binomial", Family::kBinomial},
                         {"poisson", Family::kPoisson},
                         {"gamma", Family::kGamma}});
}

Link link_of(const std::string& name) {
  return choose<Link>("link", name,
                      {{"identity", Link::kIdentity},
                       {"logit", Link::kLogit},
                       {"probit", Link::kProbit},
                       {"cloglog", Link::kCloglog},
                       {"log", Link::kLog},
                       {"inverse", Link::kInverse}});
}

PredictionScale scale_of(const std::string& name) {
  return choose<PredictionScale>(
      "scale of predictions", name,
      {{"response", PredictionScale::kMean}, {"link", PredictionScale::kPredictor}});
}

Column optional_column(const std::string& name, const std::optional<py::array>& values) {
  return values ? column_view(name, *values) : Column();
}

std::pair<Array<double>, Array<double>> to_arrays(const Prediction& prediction) {
  return {to_array(prediction.value), to_array(RowMatrix(prediction.jacobian))};
}

void bind_fits(py::module_& m) {
  py::class_<Regression>(m, "Regression", "A fitted generalised linear model.")
      .def_readonly("aliased", &Regression::aliased)
      .def_readonly("dispersion", &Regression::dispersion)
      .def_readonly("deviance", &Regression::deviance)
      .def_readonly("null_deviance", &Regression::null_deviance)
      .def_readonly("iterations", &Regression::iterations)
      .def_readonly("used", &Regression::used)
      .def_readonly("missing", &Regression::missing)
      .def_property_readonly("naive_covariance", [](const Regression& fit) {
        return to_array(RowMatrix(fit.information_inverse));
      });
  py::class_<Ordinal>(m, "Ordinal", "A fitted cumulative link model.")
      .def_readonly("aliased", &Ordinal::aliased)
      .def_readonly("deviance", &Ordinal::deviance)
      .def_readonly("null_deviance", &Ordinal::null_deviance)
      .def_readonly("iterations", &Ordinal::iterations)
      .def_readonly("used", &Ordinal::used)
      .def_readonly("missing", &Ordinal::missing);
  m.def(
      "fit_regression",
      [](const Design& design, const std::optional<Codes>& domains, const ModelMatrix& matrix,
         const std::string& name, const py::array& response, const std::string& family,
         const std::string& link, const std::string& offset_name,
         const std::optional<py::array>& offset) {
        const Column y = column_view(name, response);
        const RegressionOptions options{family_of(family), link_of(link),
                                        optional_column(offset_name, offset)};
        const py::gil_scoped_release no_python_below;
        return fit_regression(design, Domains{domains.value_or(Codes())}, matrix, y, options);
      },
      py::arg("design"), py::arg("domains"), py::arg("matrix"), py::arg("name"),
      py::arg("response").noconvert(), py::arg("family"), py::arg("link"), py::arg("offset_name"),
      py::arg("offset").noconvert());
  m.def(
      "fit_ordinal",
      [](const Design& design, const std::optional<Codes>& domains, const ModelMatrix& matrix,
         const Codes& categories, const std::string& link, const std::string& offset_name,
         const std::optional<py::array>& offset) {
        const OrdinalOptions options{link_of(link), optional_column(offset_name, offset)};
        const py::gil_scoped_release no_python_below;
        return fit_ordinal(design, Domains{domains.value_or(Codes())}, matrix, categories, options);
      },
      py::arg("design"), py::arg("domains"), py::arg("matrix"), py::arg("categories"),
      py::arg("link"), py::arg("offset_name"), py::arg("offset").noconvert());
  m.def(
      "regression_coefficients", [](const Regression& fit) { return coefficients(fit); },
      py::arg("fit"));
  m.def(
      "ordinal_coefficients", [](const Ordinal& fit) { return coefficients(fit); }, py::arg("fit"));
}

void bind_predictions(py::module_& m) {
  m.def(
      "predict_regression",
      [](const Regression& fit, const ModelMatrix& rows, const std::string& scale,
         const std::string& offset_name, const std::optional<py::array>& offset) {
        return to_arrays(predict(fit, rows, scale_of(scale), optional_column(offset_name, offset)));
      },
      py::arg("fit"), py::arg("rows"), py::arg("scale"), py::arg("offset_name"),
      py::arg("offset").noconvert(), "Values at given rows, and their Jacobian.");
  m.def(
      "predict_ordinal",
      [](const Ordinal& fit, const ModelMatrix& rows, const std::string& offset_name,
         const std::optional<py::array>& offset) {
        return to_arrays(predict(fit, rows, optional_column(offset_name, offset)));
      },
      py::arg("fit"), py::arg("rows"), py::arg("offset_name"), py::arg("offset").noconvert(),
      "Probabilities of the categories at given rows, and their Jacobian.");
  m.def(
      "column_means", [](const Regression& fit) { return column_means(fit); }, py::arg("fit"),
      "Means of the columns of a fit's matrix, over the rows of the fit.");
  m.def(
      "averages",
      [](const Regression& fit, const std::vector<ModelMatrix>& matrices,
         const std::vector<std::optional<int>>& slopes, const std::string& scale,
         const Design& design, const std::optional<Codes>& domains) {
        std::vector<Average> wanted;
        for (std::size_t i = 0; i < matrices.size(); ++i) {
          wanted.push_back({matrices[i], slopes.at(i), scale_of(scale)});
        }
        const py::gil_scoped_release no_python_below;
        return averages(fit, std::move(wanted), design, Domains{domains.value_or(Codes())});
      },
      py::arg("fit"), py::arg("matrices"), py::arg("slopes"), py::arg("scale"), py::arg("design"),
      py::arg("domains"), "Averages of predictions or marginal effects over the rows of a fit.");
}

void bind_bias_reduction(py::module_& m) {
  m.def(
      "reduce_bias",
      [](const Regression& fit, const Design& design, const SampleKeys& keys,
         const std::optional<Codes>& domains) {
        BiasReduced found;
        {
          const py::gil_scoped_release no_python_below;
          found = reduce_bias(fit, design, keys, Domains{domains.value_or(Codes())});
        }
        return std::pair(found.estimates, to_array(found.degrees_of_freedom));
      },
      py::arg("fit"), py::arg("design"), py::arg("keys"), py::arg("domains"),
      "Bell and McCaffrey's deviations of coefficients, and degrees of freedom of each.");
  m.def(
      "reduce_bias_of_means",
      [](const std::string& name, const py::array& y, const Design& design, const SampleKeys& keys,
         const std::optional<Codes>& domains) {
        const Column column = column_view(name, y);
        BiasReduced found;
        {
          const py::gil_scoped_release no_python_below;
          found = reduce_bias_of_means(column, design, keys, Domains{domains.value_or(Codes())});
        }
        return std::pair(found.estimates, to_array(found.degrees_of_freedom));
      },
      py::arg("name"), py::arg("y").noconvert(), py::arg("design"), py::arg("keys"),
      py::arg("domains"));
}

}  // namespace

void bind_regression(py::module_& m) {
  bind_fits(m);
  bind_predictions(m);
  bind_bias_reduction(m);
}

}  // namespace steelyard::bindings
