#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/allocation.hpp"
#include "steelyard/cube.hpp"
#include "steelyard/sample_draw.hpp"
#include "steelyard/sample_size.hpp"

namespace steelyard::bindings {
namespace {

enum class Method { kSystematic, kSampford, kBrewer, kPoisson };

Method method_of(const std::string& name) {
  return choose<Method>("method", name,
                        {{"systematic", Method::kSystematic},
                         {"sampford", Method::kSampford},
                         {"brewer", Method::kBrewer},
                         {"poisson", Method::kPoisson}});
}

Draw draw(Method method, const Eigen::VectorXd& probability, Random& random) {
  switch (method) {
    case Method::kSystematic:
      return draw_systematic(probability, random);
    case Method::kSampford:
      return draw_sampford(probability, random);
    case Method::kBrewer:
      return draw_brewer(probability, random);
    case Method::kPoisson:
      break;
  }
  return draw_poisson(probability, random);
}

void bind_draws(py::module_& m) {
  m.def(
      "inclusion_probabilities",
      [](const Array<double>& size, std::int64_t draws) {
        return to_array(inclusion_probabilities(to_eigen(size), draws));
      },
      py::arg("size").noconvert(), py::arg("draws"));
  m.def(
      "draw_simple",
      [](Eigen::Index units, std::int64_t draws, std::uint64_t seed, std::uint64_t stream) {
        Random random(seed, stream);
        const py::gil_scoped_release no_python_below;
        return draw_simple(units, draws, random);
      },
      py::arg("units"), py::arg("draws"), py::arg("seed"), py::arg("stream"));
  m.def(
      "draw",
      [](const std::string& method, const Array<double>& probability, std::uint64_t seed,
         std::uint64_t stream) {
        const Method chosen = method_of(method);
        const Eigen::VectorXd p = to_eigen(probability);
        Random random(seed, stream);
        const py::gil_scoped_release no_python_below;
        return draw(chosen, p, random);
      },
      py::arg("method"), py::arg("probability").noconvert(), py::arg("seed"), py::arg("stream"));
  m.def(
      "draw_tille",
      [](const Array<double>& size, std::int64_t draws, std::uint64_t seed, std::uint64_t stream) {
        const Eigen::VectorXd sizes = to_eigen(size);
        Random random(seed, stream);
        const py::gil_scoped_release no_python_below;
        return draw_tille(sizes, draws, random);
      },
      py::arg("size").noconvert(), py::arg("draws"), py::arg("seed"), py::arg("stream"));
  m.def(
      "draw_balanced",
      [](const Array<double>& probability, const Array<double>& balance, std::uint64_t seed) {
        const Eigen::VectorXd p = to_eigen(probability);
        const RowMatrix x = to_matrix(balance);
        Random random(seed, 0);
        const py::gil_scoped_release no_python_below;
        return draw_balanced(p, x, random);
      },
      py::arg("probability").noconvert(), py::arg("balance").noconvert(), py::arg("seed"));
  m.def(
      "joint_systematic",
      [](const Array<double>& p) { return to_array(joint_systematic(to_eigen(p))); },
      py::arg("probability").noconvert());
  m.def(
      "joint_sampford",
      [](const Array<double>& p) { return to_array(joint_sampford(to_eigen(p))); },
      py::arg("probability").noconvert());
  m.def(
      "joint_tille",
      [](const Array<double>& size, std::int64_t draws) {
        return to_array(joint_tille(to_eigen(size), draws));
      },
      py::arg("size").noconvert(), py::arg("draws"));
}

void bind_sizes(py::module_& m) {
  m.def(
      "allocate",
      [](const Array<double>& measure, std::int64_t size, const Array<double>& population,
         double least) {
        return to_array(allocate(to_eigen(measure), size, {to_eigen(population), least}));
      },
      py::arg("measure").noconvert(), py::arg("size"), py::arg("population").noconvert(),
      py::arg("least"));
  m.def(
      "allocate_for_precision",
      [](const Array<double>& variance, const Array<double>& wanted, const Array<double>& cost,
         const Array<double>& population, double least) {
        return to_array(allocate_for_precision(to_matrix(variance), to_eigen(wanted),
                                               to_eigen(cost), {to_eigen(population), least}));
      },
      py::arg("variance").noconvert(), py::arg("wanted").noconvert(), py::arg("cost").noconvert(),
      py::arg("population").noconvert(), py::arg("least"));
  m.def(
      "size_for_margin",
      [](double variance, double margin, double level, double design_effect, double population) {
        return size_for_margin(variance, margin, {level, design_effect, population});
      },
      py::arg("variance"), py::arg("margin"), py::arg("level"), py::arg("design_effect"),
      py::arg("population"));
  m.def(
      "margin_of_size",
      [](double variance, double answers, double level, double design_effect, double population) {
        return margin_of_size(variance, answers, {level, design_effect, population});
      },
      py::arg("variance"), py::arg("answers"), py::arg("level"), py::arg("design_effect"),
      py::arg("population"));
  py::class_<ChangeOptions>(m, "ChangeOptions", "Two waves, and what they share.")
      .def(py::init([](double level, double power, double design_effect, double overlap,
                       double correlation) {
             return ChangeOptions{level, power, design_effect, overlap, correlation};
           }),
           py::arg("level"), py::arg("power"), py::arg("design_effect"), py::arg("overlap"),
           py::arg("correlation"));
  m.def("size_for_change", &size_for_change, py::arg("first_variance"), py::arg("second_variance"),
        py::arg("change"), py::arg("options"));
  m.def("detectable_change", &detectable_change, py::arg("first_variance"),
        py::arg("second_variance"), py::arg("answers"), py::arg("options"));
}

}  // namespace

void bind_selection(py::module_& m) {
  bind_draws(m);
  bind_sizes(m);
}

}  // namespace steelyard::bindings
