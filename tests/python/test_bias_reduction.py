"""Bell and McCaffrey's errors for few clusters, by dense matrices and textbook cases."""

import numpy as np
import polars as pl
import pytest
from reference import DESIGNS, REFERENCE

import steelyard as sy
from steelyard import errors


def frame_of(design: str) -> pl.DataFrame:
    dataset, _ = DESIGNS[design]
    return pl.read_csv(REFERENCE / "data" / f"{dataset}.csv", infer_schema_length=None)


def survey(design: str = "clus1_nofpc") -> sy.Survey:
    return sy.Survey(frame_of(design), **DESIGNS[design][1])


def test_coefficients_are_those_of_dense_matrices() -> None:
    data = frame_of("clus1_nofpc")  # of equal weights
    x = np.column_stack(
        [
            np.ones(len(data)),
            data["api99"].to_numpy(),
            (data["stype"] == "H").to_numpy(),
            (data["stype"] == "M").to_numpy(),
        ]
    ).astype(float)
    y, cluster = data["api00"].to_numpy().astype(float), data["dnum"].to_numpy()
    inverse = np.linalg.inv(x.T @ x)
    residual = y - x @ (inverse @ (x.T @ y))
    hat = x @ inverse @ x.T
    meat = np.zeros((4, 4))
    for name in np.unique(cluster):
        rows = np.flatnonzero(cluster == name)
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - hat[np.ix_(rows, rows)])
        adjusted = vectors @ np.diag(values**-0.5) @ vectors.T @ residual[rows]
        score = x[rows].T @ adjusted
        meat += np.outer(score, score)
    wanted = inverse @ meat @ inverse
    fit = survey().glm("api00 ~ api99 + stype", errors="bell-mccaffrey").coefficients
    assert fit.cov == pytest.approx(wanted, rel=1e-7)
    assert (fit.degrees_of_freedom() < 14).all()


def test_equal_clusters_have_the_textbook_s_mean() -> None:
    random = np.random.default_rng(5)
    data = pl.DataFrame({"c": np.repeat(range(7), 4), "y": random.normal(size=28)})
    svy = sy.Survey(data, clusters="c")
    plain, reduced = svy.mean("y"), svy.mean("y", errors="bell-mccaffrey")
    assert reduced.se == pytest.approx(plain.se, rel=1e-12)
    assert reduced.degrees_of_freedom() == pytest.approx([6.0], rel=1e-10)


def test_unequal_clusters_have_larger_errors_and_fewer_degrees_of_freedom() -> None:
    plain = survey().mean(["api00", "api99"], by="stype")
    reduced = survey().mean(["api00", "api99"], by="stype", errors="bell-mccaffrey")
    assert reduced.labels.columns() == plain.labels.columns()
    assert reduced.estimate == pytest.approx(plain.estimate, rel=1e-12)
    assert (reduced.se > plain.se).all()
    assert (reduced.degrees_of_freedom() < plain.df).all()
    one = survey().mean("api99", by="stype", errors="bell-mccaffrey")["H"]
    assert reduced["H", "api99"].se == pytest.approx(one.se, rel=1e-12)
    assert reduced["H", "api99"].degrees_of_freedom() == pytest.approx(one.degrees_of_freedom())


def test_the_table_shows_each_degree_of_freedom() -> None:
    table = survey().mean("api00", by="stype", errors="bell-mccaffrey").to_dict()
    assert len(set(table["df"])) == 3
    low, high = survey().mean("api00", errors="bell-mccaffrey").ci()[0]
    plain = survey().mean("api00").ci()[0]
    assert high - low > plain[1] - plain[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda s: s.glm(
                "`sch.wide` ~ ell", family="binomial", positive="Yes", errors="bell-mccaffrey"
            ),
            "linear regression",
        ),
        (lambda s: survey("clus2_fpc2").mean("api00", errors="bell-mccaffrey"), "stage"),
    ],
)
def test_what_it_is_not_defined_for(call: object, message: str) -> None:
    with pytest.raises(errors.DesignMismatch, match=message):
        call(survey())  # type: ignore[operator]


def test_unknown_errors() -> None:
    with pytest.raises(ValueError, match="'linearized', 'bell-mccaffrey'"):
        survey().mean("api00", errors="hc3")  # type: ignore[arg-type]


def test_functions_keep_the_smallest_degrees_of_freedom() -> None:
    means = survey().mean("api00", by="stype", errors="bell-mccaffrey")
    free = means.degrees_of_freedom()
    assert (means["E"] - means["H"]).degrees_of_freedom() == pytest.approx([free[:2].min()])
    assert means.contrast({"H": 1, "M": -1}).degrees_of_freedom() == pytest.approx([free[1:].min()])
    plain = survey().mean("api00")
    assert (means["E"] - plain).degrees_of_freedom() == pytest.approx([free[0]])
    assert means.with_df(5).degrees_of_freedom().tolist() == [5, 5, 5]
    assert means.with_df(5).conventions["degrees of freedom"] == "5, as given"
    assert means.equality_test().ddf == pytest.approx(free.min())


def test_averages_over_rows_are_refused() -> None:
    fit = survey().glm("api00 ~ api99 + stype", errors="bell-mccaffrey")
    for averaged in (fit.average_effects, fit.average_predictions):
        with pytest.raises(errors.DesignMismatch, match="no Bell–McCaffrey errors"):
            averaged()
