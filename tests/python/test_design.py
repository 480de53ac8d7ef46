"""Designs in stages, lonely strata and unequal probabilities, against R 4.2.2, survey 4.1.1.

Values of R have 17 digits; the call that gave them stands beside them. `d` is the frame of the
test, `G` one of its groups.
"""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import errors

Floats = npt.NDArray[np.float64]

# Districts, schools by kind, pupils. Region south is taken whole (2 of 2 districts), as are the
# private schools of district 2 and several schools; district 3 has one school, of a population of
# one.
THREE = """
region district kind school pupil N1 N2 N3 w y x group answer
north 1 public a 1 9 5 20 31 4.1 2.0 boys agree
north 1 public a 2 9 5 20 29 5.3 2.5 girls neutral
north 1 public b 1 9 5 14 12 3.9 1.5 girls agree
north 1 public b 2 9 5 14 15 6.2 3.0 boys disagree
north 1 private c 1 9 1 8 11 7.7 3.5 girls agree
north 1 private c 2 9 1 8 16 8.1 2.0 girls agree
north 2 public a 1 9 4 30 40 2.2 1.0 boys disagree
north 2 public a 2 9 4 30 44 3.4 2.0 boys neutral
north 2 public b 1 9 4 3 9 4.8 2.5 girls agree
north 2 public b 2 9 4 3 8 5.0 2.0 boys agree
north 2 public b 3 9 4 3 7 6.6 1.5 girls neutral
north 2 private c 1 9 2 10 14 9.3 4.0 girls agree
north 2 private c 2 9 2 10 17 8.8 3.5 boys agree
north 2 private d 1 9 2 12 22 7.1 3.0 girls disagree
north 2 private d 2 9 2 12 19 9.9 4.5 girls agree
north 3 public a 1 9 1 40 60 1.5 1.0 boys disagree
north 3 public a 2 9 1 40 55 2.9 1.5 girls neutral
north 3 public a 3 9 1 40 52 3.3 1.0 boys disagree
south 4 public a 1 2 6 25 37 5.6 2.0 girls agree
south 4 public a 2 2 6 25 33 6.1 2.5 boys neutral
south 4 public b 1 2 6 1 5 7.4 3.0 boys agree
south 4 private c 1 2 3 9 6 8.6 2.5 girls agree
south 4 private c 2 2 3 9 7 9.1 4.0 boys agree
south 4 private d 1 2 3 15 10 6.9 3.0 girls disagree
south 4 private d 2 2 3 15 12 7.2 2.5 girls neutral
south 5 public a 1 2 7 18 20 3.1 1.5 boys disagree
south 5 public a 2 2 7 18 21 4.4 2.0 girls agree
south 5 public b 1 2 7 22 28 5.2 1.0 boys neutral
south 5 public b 2 2 7 22 25 2.7 1.5 boys disagree
south 5 public c 1 2 7 2 3 6.4 3.5 girls agree
south 5 public c 2 2 7 2 4 5.9 2.0 girls agree
"""

# Clusters in strata. Group p has rows in one cluster of b, d and e, group q in one of a and e; d
# and e are taken whole.
DOMAINS = """
stratum cluster N w y x answer g
a 1 8 11 4.1 2.0 yes p
a 1 8 12 5.2 1.5 no p
a 2 8 9 6.6 3.0 yes p
a 2 8 14 3.8 1.0 no r
a 3 8 10 7.4 2.5 yes p
a 3 8 13 2.9 1.5 no q
b 4 12 21 8.3 3.5 yes p
b 4 12 18 6.7 2.5 yes q
b 5 12 25 9.9 4.0 no q
b 5 12 16 4.4 2.0 yes q
b 6 12 19 5.8 1.0 no q
c 7 5 6 1.7 1.0 no p
c 7 5 8 3.6 2.0 yes p
c 8 5 7 2.5 1.5 no p
c 8 5 9 6.1 3.5 yes r
d 9 3 4 7.9 3.0 yes p
d 10 3 5 5.5 2.0 no q
d 11 3 3 4.7 2.5 yes q
e 12 2 2 9.2 4.5 yes p
e 13 2 3 3.3 1.0 no q
e 13 2 2 6.4 3.0 yes q
"""

# R's data set survey::election_pps, 40 counties of the elections of 2004: Bush, Kerry, Nader,
# votes, probability of being sampled.
ELECTION = [
    (954764, 1670341, 0, 2625105, 0.90365756259482377),
    (439242, 394752, 0, 833994, 0.28709136787241174),
    (55541, 119821, 0, 175362, 0.060366041545672836),
    (114703, 105008, 1108, 220819, 0.076014010607052443),
    (152838, 110153, 1196, 264187, 0.090942869138277788),
    (108126, 76938, 570, 185634, 0.063902041242056035),
    (37322, 14862, 0, 52184, 0.017963649547903145),
    (7745, 2899, 0, 10644, 0.0036640557601540905),
    (583774, 1389631, 0, 1973405, 0.67931848528437466),
    (9432, 4290, 0, 13722, 0.0047236164168390112),
    (1182, 245, 12, 1439, 0.00049535665528577006),
    (32329, 12391, 189, 44909, 0.015459327333028941),
    (171157, 116814, 1410, 289381, 0.099615569328180276),
    (42739, 36174, 435, 79348, 0.027314496097022432),
    (257267, 596208, 3616, 857091, 0.29504220363831546),
    (26428, 18556, 0, 44984, 0.015485145087821459),
    (764, 326, 21, 1111, 0.00038244700765982666),
    (172563, 162750, 0, 335313, 0.11542705083657916),
    (4080, 871, 25, 4976, 0.0017129219713008976),
    (42263, 18361, 314, 60938, 0.020977097887285794),
    (36279, 45402, 1930, 83611, 0.028781977279429133),
    (31629, 15822, 0, 47451, 0.016334377102130003),
    (174707, 97283, 0, 271990, 0.093628948346891311),
    (69289, 99048, 0, 168337, 0.057947778513440358),
    (93219, 245733, 0, 338952, 0.11667972829911212),
    (153424, 162220, 0, 315644, 0.10865625858305879),
    (11785, 8238, 70, 20093, 0.0069167486272807355),
    (110653, 65921, 699, 177273, 0.061023877937786179),
    (157591, 215810, 1199, 374600, 0.12895107927036098),
    (345482, 335871, 0, 681353, 0.23454672908194946),
    (61290, 43919, 0, 105209, 0.036216802186213051),
    (580553, 472320, 0, 1052873, 0.36243755922216442),
    (13964, 7077, 0, 21041, 0.0072430850478581573),
    (83079, 42986, 0, 126065, 0.043396203438916335),
    (49538, 19079, 885, 69502, 0.023925141247860729),
    (145, 263, 7, 415, 0.00014285824318526378),
    (264757, 498782, 5374, 768913, 0.26468809721038727),
    (23025, 20655, 300, 43980, 0.015139531410332292),
    (52449, 48226, 459, 101134, 0.034814037509152934),
    (10638, 5201, 229, 16068, 0.0055311957867489603),
]

NUMBERS = ("N", "N1", "N2", "N3", "w", "y", "x")


def frame_of(text: str, **columns: Any) -> pl.DataFrame:
    """A table of words, with other columns added."""
    names, *rows = [line.split() for line in text.strip().splitlines()]
    frame = pl.DataFrame({name: [row[i] for row in rows] for i, name in enumerate(names)})
    return frame.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in names if name in NUMBERS), **columns
    )


def three(
    stages: int = 3,
    frame: pl.DataFrame | None = None,
    weights: str | None = None,
    **arguments: Any,
) -> sy.Survey:
    design: dict[str, Any] = {
        "strata": ["region", "kind"],
        "clusters": ["district", "school", None][:stages],
        "fpc": ["N1", "N2", "N3"][:stages],
    }
    frame = frame_of(THREE) if frame is None else frame
    return sy.Survey(frame, weights, **(design | arguments))


def domains(**arguments: Any) -> sy.Survey:
    design: dict[str, Any] = {"strata": "stratum", "clusters": "cluster"}
    return sy.Survey(frame_of(DOMAINS), "w", **(design | arguments))


def near(got: Any, wanted: Any) -> None:
    """Equal to 1e-11; covariances as correlations are."""
    wanted = np.asarray(wanted, dtype=float)
    scale: Any = np.abs(wanted)
    if wanted.ndim == 2:
        root = np.sqrt(np.diag(wanted))
        scale = np.outer(root, root)
    np.testing.assert_array_less(np.abs(np.asarray(got) - wanted), 1e-11 * scale + 1e-300)


def four_errors(svy: sy.Survey, where: dict[str, str], answer: str) -> list[float]:
    """Standard errors of mean, ratio, proportion and total in one group."""
    all_four = [
        svy.mean("y", where=where or None),
        svy.ratio("y", "x", where=where or None),
        svy.proportion("answer", positive=answer, where=where or None),
        svy.total("y", where=where or None),
    ]
    return [float(est.se[0]) for est in all_four]


# Several stages, against R

# svydesign(id=~district+school+id, strata=~region+kind, fpc=~N1+N2+N3, nest=TRUE, data=d), with id
# the row, and the same with weights=~w, and without the third stage and weights. Then svyby(~y,
# ~group, s, svymean, covmat=TRUE) and the same of svytotal, of svyratio with denominator=~x and of
# svymean of I(answer=="agree"): coef, and vcov as its [1,1], [1,2] and [2,2].
Table = dict[str, tuple[list[float], list[float]]]
BY_GROUP: dict[str, tuple[dict[str, Any], Table]] = {
    "three stages": (
        {},
        {
            "mean": (
                [3.9221871548051128, 5.6772279606053324],
                [0.24548311567152314, -0.10457419070073146, 0.41088283662014963],
            ),
            "total": (
                [2071.2416666666668, 1969.5250000000001],
                [280843.50506944442, 126308.29770833331, 327932.66062500008],
            ),
            "ratio": (
                [2.1861993139238280, 2.4023480382191504],
                [0.0152498762111534757, -0.0002968738404529419, 0.0055510412359988156],
            ),
            "proportion": (
                [0.20025248540318760, 0.53447033389382659],
                [0.0177201748540958479, -0.0031699975427312566, 0.0179709758585020161],
            ),
        },
    ),
    "three stages and weights": (
        {"weights": "w"},
        {
            "mean": (
                [3.8597402597402595, 5.8801393728222999],
                [0.28508524251995621, 0.21411201781422740, 0.72253820025055471],
            ),
            "total": (
                [1486.0000000000000, 1687.6000000000001],
                [105369.060905820108, 10497.888834920648, 157355.562284920685],
            ),
            "ratio": (
                [2.3092463092463094, 2.4334534967555879],
                [0.02646291328201197043, -0.00068337784829433971, 0.01039605211540115502],
            ),
            "proportion": (
                [0.17662337662337663, 0.52961672473867594],
                [0.0098943844474994862, 0.0047038249211300287, 0.0204159170178756927],
            ),
        },
    ),
    "two stages": (
        {"stages": 2},
        {
            "mean": (
                [4.6277286135693219, 6.0876750700280109],
                [0.13042671891944146, -0.04436145620842380, 0.17996151156743059],
            ),
            "total": (
                [261.4666666666667, 362.2166666666667],
                [3547.9061111111109, 5502.9252777777783, 11963.2152777777774],
            ),
            "ratio": (
                [2.2572661870503601, 2.4980459770114947],
                [0.00532094081732818313, 0.00059250974812071876, 0.00204273767558569002],
            ),
            "proportion": (
                [0.37168141592920356, 0.62184873949579833],
                [0.0125197610527409860, -0.0026675875142914856, 0.0052291103408884116],
            ),
        },
    ),
}


def by_group(svy: sy.Survey, kind: str) -> sy.Estimates:
    if kind == "ratio":
        return svy.ratio("y", "x", by="group")
    if kind == "proportion":
        return svy.proportion("answer", positive="agree", by="group")
    result: sy.Estimates = getattr(svy, kind)("y", by="group")
    return result


@pytest.mark.parametrize("kind", ["mean", "total", "ratio", "proportion"])
@pytest.mark.parametrize("name", BY_GROUP)
def test_groups_of_a_sample_in_stages(name: str, kind: str) -> None:
    arguments, table = BY_GROUP[name]
    values, (first, both, second) = table[kind]
    est = by_group(three(**arguments), kind)
    near(est.estimate, values)
    near(est.cov, [[first, both], [both, second]])
    assert est.df == 3  # degf(s)


def test_several_estimates_of_a_sample_in_stages() -> None:
    svy = three()
    # vcov(svymean(~y+x, s))
    near(
        svy.mean(["y", "x"]).cov,
        [[0.140247142558863, 0.058312417655751], [0.058312417655751, 0.028681597260839103]],
    )
    shares = svy.proportion("answer", levels=["agree", "neutral", "disagree"])
    # coef and vcov of svymean(~answer, s)
    near(shares.estimate, [0.33276190476190476, 0.32619047619047620, 0.34104761904761904])
    near(
        shares.cov,
        [
            [0.0112973435208080595, -0.0036560000155984409, -0.0076413435052096199],
            [-0.0036560000155984409, 0.0062668938337421161, -0.0026108938181436748],
            [-0.0076413435052096199, -0.0026108938181436748, 0.0102522373233532964],
        ],
    )


def test_a_stage_without_fpc_is_sampled_with_replacement() -> None:
    # fpc=~N1+inf and fpc=~N1+N2+inf with d$inf <- Inf, weights=~w and survey.lonely.psu="remove":
    # vcov(svyby(~y, ~group, s, svymean, covmat=TRUE)).
    first = three(2, weights="w", fpc="N1", lonely="remove")
    near(
        first.mean("y", by="group").cov,
        [[0.24730717465192656, 0.24769446860728622], [0.24769446860728622, 0.61659969361741507]],
    )
    second = three(3, weights="w", fpc=["N1", "N2"], lonely="remove")
    near(
        second.mean("y", by="group").cov,
        [[0.29506853593582150, 0.20789084316054859], [0.20789084316054859, 0.73608210113430539]],
    )


def test_stages_below_one_with_replacement_add_nothing() -> None:
    stages = three(3, weights="w", fpc=None)
    alone = three(1, weights="w", fpc=None, strata="region")
    assert stages.mean("y", by="group").to_dict() == alone.mean("y", by="group").to_dict()


# The sampled over N1, N2 and N3, in the order of the rows.
def fractions() -> pl.DataFrame:
    frame = frame_of(THREE)
    district, stratum = pl.struct("district"), pl.struct("district", "kind")
    school = pl.struct("district", "kind", "school")
    return frame.with_columns(
        N1=district.n_unique().over("region") / pl.col("N1"),
        N2=school.n_unique().over(stratum) / pl.col("N2"),
        N3=pl.len().over(school) / pl.col("N3"),
    ).with_columns(inverse=1 / (pl.col("N1") * pl.col("N2") * pl.col("N3")), district=district)


@pytest.mark.parametrize("weights", [None, "w"])
def test_counts_and_fractions_are_one_correction_at_every_stage(weights: str | None) -> None:
    counts, shares = three(weights=weights), three(frame=fractions(), weights=weights)
    for kind in ("mean", "total", "ratio", "proportion"):
        near(by_group(shares, kind).cov, by_group(counts, kind).cov)
    one_of_each = three(frame=fractions().with_columns(N1=frame_of(THREE)["N1"]), weights=weights)
    near(one_of_each.mean("y", by="group").cov, counts.mean("y", by="group").cov)


def test_without_weights_a_row_stands_for_the_inverse_of_the_product_of_fractions() -> None:
    given, default = three(frame=fractions(), weights="inverse"), three()
    for kind in ("mean", "total", "ratio", "proportion"):
        near(by_group(default, kind).estimate, by_group(given, kind).estimate)
        near(by_group(default, kind).cov, by_group(given, kind).cov)
    # weights(s) of the two stages: 3 pupils of district 3, one school of one, one district of 3.
    assert three(2).count(where={"district": "3"}).value == 9
    # With no fraction at the last stage, the others count alone.
    partly = three(3, fpc=["N1"], lonely="remove")
    assert partly.count(where={"region": "north"}).value == 3 * 18
    assert partly.count(where={"region": "south"}).value == 13


def test_rows_as_last_units() -> None:
    numbered = frame_of(THREE).with_row_index("row")
    rows, named = three(3), three(3, numbered, clusters=["district", "school", "row"])
    for kind in ("mean", "total", "ratio", "proportion"):
        near(by_group(rows, kind).cov, by_group(named, kind).cov)
    elements = frame_of(THREE)
    one = sy.Survey(elements, "w", strata="region", clusters=[None])
    other = sy.Survey(elements, "w", strata="region")
    assert one.mean("y", by="group").to_dict() == other.mean("y", by="group").to_dict()


def test_names_that_repeat_in_other_units_are_other_units() -> None:
    unique = frame_of(THREE).with_columns(
        school=pl.concat_str("district", "kind", "school", separator="-")
    )
    for kind in ("mean", "total"):
        near(by_group(three(2, unique), kind).cov, by_group(three(2), kind).cov)


NESTED = {
    "psu": ["a"] * 6 + ["b"] * 6,
    "kind": ["u", "u", "u", "v", "v", "v"] * 2,
    "ssu": [1, 2, 3] * 4,
    "y": [1.0, 2.0, 4.0, 8.0, 3.0, 5.0, 9.0, 2.0, 6.0, 7.0, 7.0, 3.0],
    "N1": [5.0] * 12,
    "N2": [4.0, 4.0, 4.0, 6.0, 6.0, 6.0] * 2,
}


def test_nested_names_at_the_second_stage() -> None:
    # svydesign(id=~psu+ssu, strata=~all+kind, fpc=~N1+N2, nest=TRUE, data=E) with E$all <- 1:
    # SE of svymean(~y) and of svytotal(~y).
    svy = sy.Survey(
        pl.DataFrame(NESTED),
        strata=[None, "kind"],
        clusters=["psu", "ssu"],
        fpc=["N1", "N2"],
        nest=True,
    )
    near(svy.mean("y").se, [0.66499791144200004])
    near(svy.total("y").se, [33.249895572100002])


def test_a_domain_in_one_unit_that_was_certain_is_estimated_from_those_below() -> None:
    # svyby(~y, ~district, s, svymean, covmat=TRUE) of the three stages without weights: districts
    # 4 and 5 are the whole region south, so that all of their variance is that of their schools.
    est = three().mean("y", by="district")
    near(est.rows([3, 4]).estimate, [6.4828947368421055, 3.9690476190476196])
    near(est.rows([3, 4]).se ** 2, [0.14807551202095867, 0.21347810325944441])


def test_strata_of_one_unit_each_that_was_certain() -> None:
    # svydesign(id=~h+id, strata=~h, fpc=~N1+N2, data=e) with N1=1, of which R has degf 0 and
    # SE(svymean(~y, s)); with strata=~h and id=~id alone, the same error and degf 4.
    columns = {"h": ["a"] * 3 + ["b"] * 3, "y": [1.0, 2.0, 4.0, 8.0, 3.0, 5.0], "N1": [1.0] * 6}
    frame = pl.DataFrame(columns | {"N2": [6.0] * 3 + [9.0] * 3})
    near(sy.Survey(frame, strata="h", fpc="N2").mean("y").se, [0.75424723326565069])
    svy = sy.Survey(frame, strata="h", clusters=["h", None], fpc=["N1", "N2"])
    near(svy.mean("y").se, [0.75424723326565069])


def test_a_domain_in_one_unit_of_several_has_no_error() -> None:
    est = three().mean("y", by="district")
    assert np.isnan(est.rows([0, 1, 2]).se).all()
    assert est["1"].notes == ["answers from one unit only: error not estimable"]
    # Totals know that the others have none: SE of svyby(~y, ~district, s, svytotal).
    near(
        three().total("y", by="district").se,
        [
            1167.14036752226184,
            978.80687574209435,
            254.09604483344481,
            341.03832995720580,
            125.97734364206569,
        ],
    )


# What is said of a design in stages


def test_the_design_in_words() -> None:
    svy = three()
    assert svy.design_text == (
        "31 rows, 5 units (clusters by district, then school), 2 strata, 3 degrees of freedom"
    )
    variance = svy.mean("y").conventions["variance"]
    assert variance == (
        "Taylor linearisation, clusters as units in 3 stages, with finite population correction"
    )
    assert " in 3 stages" not in three(3, fpc=None).mean("y").conventions["variance"]


def test_a_list_of_strata_is_crossed_in_one_stage_and_one_a_stage_in_several() -> None:
    frame = frame_of(DOMAINS).with_columns(half=pl.col("stratum").is_in(["a", "b"]))
    design: dict[str, Any] = {"weights": "w", "clusters": "cluster"}
    crossed = sy.Survey(frame, strata=["half", "stratum"], **design)
    for strata in ("stratum", ["stratum"], [["half", "stratum"]]):
        other = sy.Survey(frame, strata=strata, **design)
        assert other.mean("y").se.tolist() == crossed.mean("y").se.tolist()
        assert other.degrees_of_freedom == crossed.degrees_of_freedom == 8
    # Crossed in the first of two stages: region alone and region by a column that follows from it.
    pupils = frame_of(THREE).with_columns(side=pl.col("region").str.to_uppercase())
    both = three(2, pupils, strata=[["region", "side"], "kind"])
    assert both.mean("y").se.tolist() == three(2).mean("y").se.tolist()
    only_first = three(2, strata=["region"], fpc="N1", weights="w", lonely="remove")
    either = three(2, strata="region", fpc="N1", weights="w", lonely="remove")
    assert only_first.mean("y").se.tolist() == either.mean("y").se.tolist()


MISMATCHES: dict[str, tuple[dict[str, Any], str]] = {
    "more strata than stages": (
        {"strata": ["region", "kind", None]},
        "strata= has 3 entries and there are 2 stages of clusters=: with several stages, strata= "
        "has one entry a stage. To cross columns in one stage, put them in a list of their own, "
        "as in strata=[['region', 'urban'], None]",
    ),
    "strata of a stage that is not there": (
        {"strata": ["region", None], "clusters": "district", "fpc": "N1"},
        "strata= has 2 entries and there is one stage of clusters=: with several stages",
    ),
    "strata that divide nothing": (
        {"strata": ["region", "region"]},
        "strata column 'region' has one value within every unit of 'district': as a stratum of "
        "the next stage it divides nothing. To cross columns in the first stage, put them in a "
        "list of their own, as in strata=[['region', 'urban'], None]",
    ),
    "no unit above another": (
        {"clusters": [None, "school"]},
        "clusters= names no unit at a stage above the last: only the last may be None, for rows "
        "as units",
    ),
    "more fpc than stages": (
        {"fpc": ["N1", "N2", "N3"]},
        "fpc= has 3 entries and there are 2 stages of clusters=: name the units of every stage "
        "in clusters=, with None last where they are the rows",
    ),
    "two fpc and one stage": (
        {"strata": "region", "clusters": "district"},
        "fpc= has 2 entries and there is one stage of clusters=: name the units",
    ),
    "fpc below a stage without": (
        {"fpc": [None, "N2"]},
        "fpc= corrects a stage below one that has no correction: where a stage was sampled with "
        "replacement, those below it do not enter the variance",
    ),
    "pps without probabilities": (
        {"fpc": None, "pps": "brewer"},
        "pps= needs fpc=, the column of each unit's probability of being sampled",
    ),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_arguments_that_do_not_name_the_same_stages(name: str) -> None:
    arguments, message = MISMATCHES[name]
    with pytest.raises(errors.DesignMismatch, match="^" + re.escape(message)):
        three(2, **arguments)


FPC: dict[str, tuple[dict[str, str], str]] = {
    "below the sample": (
        {"district": "4", "kind": "private"},
        "says that stratum '4 / private' of 'kind' has fewer units in the population",
    ),
    "varies": (
        {"district": "2", "school": "b"},
        "is not constant in stratum '2 / public' of 'kind': 3 rows (8, 9, 10) differ",
    ),
}


@pytest.mark.parametrize("name", FPC)
def test_an_fpc_of_the_second_stage_that_cannot_be(name: str) -> None:
    rows, message = FPC[name]
    changed = pl.all_horizontal(pl.col(column) == value for column, value in rows.items())
    frame = frame_of(THREE).with_columns(N2=pl.when(changed).then(1.0).otherwise("N2"))
    with pytest.raises(errors.InvalidFpc, match=re.escape(f"fpc column 'N2' {message}")) as e:
        three(2, frame)
    assert e.value.column == "N2"


def test_a_unit_below_in_two_strata() -> None:
    frame = frame_of(THREE).with_columns(school=pl.lit("a"))
    with pytest.raises(errors.ClusterInTwoStrata) as e:
        three(2, frame)
    assert "cluster '1 / a', '2 / a', '4 / a' of column 'school' stands in" in str(e.value)
    assert "stratum of 'kind': 10 rows (first: 4, 5, 11, 12, 13) in a second one" in str(e.value)


# A lonely stratum at the second stage: district 1 has 3 private schools, of which 1 was sampled.


def lonely_below() -> pl.DataFrame:
    alone = (pl.col("district") == "1") & (pl.col("kind") == "private")
    return frame_of(THREE).with_columns(N2=pl.when(alone).then(3.0).otherwise("N2"))


def test_a_lonely_stratum_below_is_named() -> None:
    with pytest.raises(errors.LonelyStratum) as e:
        three(2, lonely_below())
    assert str(e.value) == (
        "stratum '1 / private' of 'kind' has a single sampled cluster of 'school', so its "
        "variance cannot be estimated (1 such strata). Merge it with a similar stratum, or pass "
        "lonely='adjust', 'average', 'certainty' or 'remove'"
    )
    north = lonely_below().filter(pl.col("kind") == "private", pl.col("region") == "north")
    with pytest.raises(errors.LonelyStratum, match=r"^cluster '1' of the stage above has a single"):
        three(2, north, strata=None)


# options(survey.lonely.psu=lonely); s <- svydesign(id=~district+school, strata=~region+kind,
# fpc=~N1+N2, nest=TRUE, data=d, weights=~w): SE of svymean(~y), svyratio(~y, ~x), svymean of
# answer=="agree" and svytotal(~y), in s and in subset(s, group == G). Without totals under
# "adjust", which R does not centre.
BOYS = [0.45391194728151285, 0.10100499036835101, 0.092642285622089454, 265.88967565335747]
_NOTHING = {
    "": [0.60981796010126343, 0.060887798634572991, 0.10283003495517028, 526.43180311730146],
    "boys": BOYS,
    "girls": [0.77303333722661094, 0.077086903679845997, 0.11673940730751674, 350.92072378380908],
}
LONELY: dict[str, dict[str, list[float]]] = {
    "remove": _NOTHING,
    "certainty": _NOTHING,
    "adjust": {
        "": [0.61284956632951726, 0.063098524285005619, 0.10361618935159007],
        "boys": BOYS[:3],
        "girls": [0.77839678888519737, 0.082380168623053945, 0.11858859653025541],
    },
    "average": {
        "": [0.60989799450821469, 0.061640850888167474, 0.10297460742472533, 530.19491070108666],
        "boys": BOYS,  # none in the lonely stratum
        "girls": [
            0.77310892283320187,
            0.078851456313285426,
            0.12124040487854149,
            354.1622176079097,
        ],
    },
}


@pytest.mark.parametrize("group", ["", "boys", "girls"])
@pytest.mark.parametrize("lonely", LONELY)
def test_a_lonely_stratum_below(lonely: str, group: str) -> None:
    wanted = LONELY[lonely][group]
    svy = three(2, lonely_below(), "w", lonely=lonely)
    where = {"group": group} if group else {}
    near(four_errors(svy, where, "agree")[: len(wanted)], wanted)
    if group:
        assert svy.mean("y", by="group")[group].se[0] == pytest.approx(wanted[0], rel=1e-11)


def test_an_adjusted_total_is_centred_at_all_units_of_the_stage() -> None:
    frame = lonely_below()
    nothing = three(2, frame, "w", lonely="remove").total("y").se[0] ** 2
    adjusted = three(2, frame, "w", lonely="adjust").total("y").se[0] ** 2
    weighted = frame.with_columns(wy=pl.col("w") * pl.col("y"))
    schools = weighted.group_by("district", "kind", "school").agg(pl.col("wy").sum())
    alone = (pl.col("district") == "1") & (pl.col("kind") == "private")
    distance = schools.filter(alone)["wy"][0] - schools["wy"].to_numpy().mean()
    # A third of the schools were sampled, of a third of the districts.
    near(adjusted, nothing + 3 / 9 * (1 - 1 / 3) * distance**2)
    assert adjusted / nothing - 1 > 1e-6


def test_units_with_nothing_to_average_over_are_refused() -> None:
    only_school = pl.col("district") == "3"
    frame = lonely_below().with_columns(N2=pl.when(only_school).then(2.0).otherwise("N2"))
    with pytest.raises(errors.LonelyStratum, match="stratum '3 / public' of 'kind' has a single"):
        three(2, frame, "w", lonely="average")


# Strata of which a domain leaves one unit

# options(survey.lonely.psu=lonely, survey.adjust.domain.lonely=TRUE); svydesign(id=~cluster,
# strata=~stratum, weights=~w, data=d), with and without fpc=~N: SE of svymean(~y), svyratio(~y,
# ~x), svymean(~answer) and svytotal(~y) in subset(s, g == G). Without totals under "adjust", which
# R does not centre.
IN_DOMAIN: dict[tuple[str | None, str | None, str], list[float]] = {
    (None, None, "p"): [
        *(0.76219630935328575, 0.090224936867221064, 0.11777836011968774),
        184.40273859137776,
    ],
    (None, None, "q"): [
        *(0.74568838607420307, 0.35361678381815559, 0.16363819639536065),
        208.78520062494846,
    ],
    (None, "adjust", "p"): [0.87271148933734066, 0.091839010443225275, 0.12683270108662484],
    (None, "adjust", "q"): [0.80677857322275293, 0.35628118674260473, 0.16696567536805121],
    (None, "average", "p"): [
        *(0.75049782746258709, 0.1391533792593799, 0.15395017176962869),
        75.610184499179738,
    ],
    (None, "average", "q"): [
        *(0.86392386604024318, 0.49254506328306374, 0.22171490286150719),
        288.63360857668664,
    ],
    ("N", None, "p"): [
        *(0.62894982503170116, 0.069516809871318488, 0.095126891646911765),
        155.5732504320714,
    ],
    ("N", None, "q"): [
        *(0.62341192968999937, 0.30457835636094716, 0.13811594553678433),
        178.0557040647673,
    ],
    ("N", "adjust", "p"): [0.72354858420406287, 0.069551996006701089, 0.1030751453877598],
    ("N", "adjust", "q"): [0.66607823461816984, 0.30647371028001003, 0.14057972798142865],
    ("N", "average", "p"): [
        *(0.41786442151554204, 0.077643417839366791, 0.085866213886736598),
        42.096151100783544,
    ],
    ("N", "average", "q"): [
        *(0.60948817103677055, 0.34727828477081102, 0.15363473303431951),
        202.70019733586838,
    ],
}


@pytest.mark.parametrize(
    ("fpc", "policy", "group"),
    list(IN_DOMAIN),
)
def test_a_stratum_of_which_a_domain_leaves_one_unit(
    fpc: str | None, policy: str | None, group: str
) -> None:
    wanted = IN_DOMAIN[fpc, policy, group]
    svy = domains(fpc=fpc, lonely_domain=policy)
    near(four_errors(svy, {"g": group}, "yes")[: len(wanted)], wanted)
    both = svy.mean("y", by="g")
    assert both[group].se[0] == pytest.approx(wanted[0], rel=1e-11)


# The same of svydesign(id=~district+school+id, strata=~region+kind, fpc=~N1+N2+N3, nest=TRUE,
# data=d, weights=~w) in subset(s, group == G), and of its first two stages.
IN_DOMAIN_OF_STAGES: dict[tuple[int, str, str], list[float]] = {
    (2, "adjust", "boys"): [0.45723296764320653, 0.10100865427626211, 0.093044603370080595],
    (2, "adjust", "girls"): [0.7736242334857375, 0.083611694531608161, 0.12680797921523551],
    (3, "adjust", "boys"): [0.56427270785438888, 0.16371714830583459, 0.10522832792811715],
    (3, "adjust", "girls"): [0.88819899633888988, 0.11372234583584961, 0.1631368254987203],
    (2, "average", "boys"): [
        *(0.46607888457638758, 0.10156557829295045, 0.094619033358286198),
        295.53524824017347,
    ],
    (2, "average", "girls"): [
        *(0.7726893223634419, 0.070117237653633702, 0.10965261852458424),
        311.10054277401343,
    ],
}


@pytest.mark.parametrize(
    ("stages", "policy", "group"),
    list(IN_DOMAIN_OF_STAGES),
)
def test_a_stratum_below_of_which_a_domain_leaves_one_unit(
    stages: int, policy: str, group: str
) -> None:
    wanted = IN_DOMAIN_OF_STAGES[stages, policy, group]
    svy = three(stages, weights="w", lonely_domain=policy)
    near(four_errors(svy, {"group": group}, "agree")[: len(wanted)], wanted)


def test_a_domain_that_leaves_nothing_to_average_over_has_a_reason() -> None:
    # R gives NaN: in some schools, each with its own average, a single boy was asked.
    est = three(3, weights="w", lonely_domain="average").mean("y", by="group")
    assert np.isnan(est.se).all()
    assert all("not estimable" in str(note) for note in est.notes)


@pytest.mark.parametrize("policy", ["remove", "certainty"])
@pytest.mark.parametrize("fpc", [None, "N"])
def test_a_stratum_of_which_a_domain_leaves_one_unit_adds_nothing(
    fpc: str | None, policy: str
) -> None:
    frame = frame_of(DOMAINS)
    est = domains(fpc=fpc, lonely_domain=policy).total("y", by="g")
    for group, alone in (("p", "bde"), ("q", "ae")):
        # Without rows in such strata, the others add what they did.
        left = frame.with_columns(
            y=pl.when(pl.col("stratum").is_in(list(alone))).then(0.0).otherwise("y")
        )
        others = sy.Survey(left, "w", strata="stratum", clusters="cluster", fpc=fpc)
        near(est[group].se, others.total("y", where={"g": group}).se)


def test_lonely_strata_and_those_of_a_domain_have_their_own_policies() -> None:
    svy = domains(lonely="average", lonely_domain="adjust")
    near(four_errors(svy, {"g": "p"}, "yes")[:3], IN_DOMAIN[None, "adjust", "p"])
    assert svy.mean("y").conventions["lonely strata"] == "average, in domains adjust"
    near(domains(lonely_domain="adjust").mean("y").se, domains().mean("y").se)


def test_a_stratum_of_which_a_domain_leaves_one_unit_is_refused_by_name() -> None:
    svy = domains(lonely_domain="fail")
    assert svy.mean("y").se[0] > 0
    with pytest.raises(errors.LonelyStratum) as e:
        svy.mean("y", where={"g": "q"})
    assert str(e.value).startswith(
        "stratum 'a', 'e' of 'stratum' has one cluster of 'cluster' in a domain, so its variance "
        "cannot be estimated (2 such strata). Merge it with a similar stratum, or pass "
        "lonely_domain='adjust', 'average', 'certainty' or 'remove'"
    )
    assert (e.value.column, e.value.count) == ("stratum", 2)


def test_a_stratum_below_of_which_a_domain_leaves_one_unit_is_refused_by_name() -> None:
    with pytest.raises(errors.LonelyStratum, match="in a domain") as e:
        three(2, lonely_domain="fail").mean("y", where={"group": "boys", "district": ["2", "4"]})
    assert "of 'kind' has one cluster of 'school'" in str(e.value)


def test_a_domain_of_a_stratum_taken_whole_is_not_refused() -> None:
    svy = domains(fpc="N", lonely_domain="fail")
    inside = {"stratum": ["d"], "g": "p"}
    assert svy.total("y", where=inside).se.tolist() == [0.0]


# Unequal probabilities without replacement


def election() -> pl.DataFrame:
    frame = pl.DataFrame(ELECTION, schema=["Bush", "Kerry", "Nader", "votes", "p"], orient="row")
    return frame.with_columns(
        won=pl.when(pl.col("Bush") > pl.col("Kerry"))
        .then(pl.lit("Bush"))
        .otherwise(pl.lit("Kerry"))
    )


def test_brewer_against_r() -> None:
    # s <- svydesign(id=~1, fpc=~p, data=election_pps, pps="brewer")
    svy = sy.Survey(election(), fpc="p", pps="brewer")
    names = ["Bush", "Kerry", "Nader"]
    totals = svy.total(names)
    near(totals.estimate, [64518472.38053997606, 51202102.09624831378, 478530.52321170829])
    # vcov(svytotal(~Bush+Kerry+Nader, s))
    near(
        totals.cov,
        [
            [5990887176584.1523438, -5993375965224.962891, 2488788640.8093767],
            [-5993375965224.962891, 6006354660147.525391, -12978694922.5644512],
            [2488788640.8093767, -12978694922.5644512, 10489906281.7550278],
        ],
    )
    # SE(svymean(~Bush+Kerry+Nader, s)), svyratio(~Bush, ~votes, s), svymean(~won, s)
    near(svy.mean(names).se, [2536.420964632389769, 1996.385489045096165, 16.190506336008994])
    ratio = svy.ratio("Bush", "votes")
    near([ratio.value, ratio.se[0]], [0.55524069983619906, 0.021064094156802257])
    share = svy.proportion("won", positive="Bush")
    near([share.value, share.se[0]], [0.48830548731046036, 0.27954301660730807])
    # svymean(~votes, subset(s, won == "Bush")), and of Kerry's counties
    votes = svy.mean("votes", by="won")
    near(
        [votes[name].value for name in ("Bush", "Kerry")], [12427.105767327916, 4498.2700755452961]
    )
    near(
        [votes[name].se[0] for name in ("Bush", "Kerry")], [5811.1564544923795, 4220.7272813992022]
    )
    assert "Brewer's approximation" in votes.conventions["variance"]


FIRST = {"1": 0.2, "2": 0.35, "3": 0.15, "4": 1.0, "5": 0.6}
SECOND = {
    **{"1 public a": 0.3, "1 public b": 0.55, "1 private c": 1.0, "2 public a": 0.45},
    **{"2 public b": 0.25, "2 private c": 0.8, "2 private d": 1.0, "3 public a": 1.0},
    **{"4 public a": 0.5, "4 public b": 0.35, "4 private c": 0.6, "4 private d": 0.7},
    **{"5 public a": 0.4, "5 public b": 0.3, "5 public c": 0.75},
}


def unequal() -> pl.DataFrame:
    school = pl.concat_str("district", "kind", "school", separator=" ")
    return frame_of(THREE).with_columns(
        p1=pl.col("district").replace_strict(FIRST), p2=school.replace_strict(SECOND)
    )


def test_brewer_in_two_stages_against_r() -> None:
    # s <- svydesign(id=~district+school, strata=~region+kind, fpc=~p1+p2, nest=TRUE, data=d,
    # pps="brewer"), of which svymean(~y, subset(s, group == G)), SE(svytotal(~y, s)),
    # svyratio(~y, ~x, s) and svymean(~answer, s).
    svy = three(2, unequal(), fpc=["p1", "p2"], pps="brewer")
    means = svy.mean("y", by="group")
    near(means.estimate, [4.3586755926930376, 5.8586807370884841])
    near(means.se, [0.43009987854828691, 0.37666606289183907])
    near(svy.total("y").se, [263.2938381597848])
    ratio = svy.ratio("y", "x")
    near([ratio.value, ratio.se[0]], [2.4021012049658621, 0.07193112717038827])
    shares = svy.proportion("answer", levels=["agree", "disagree", "neutral"])
    near(shares.estimate, [0.47907848199616371, 0.23994998259912428, 0.28097153540471198])
    near(shares.se, [0.087351809856906285, 0.082749446547635108, 0.030670034234964984])
    # The same with weights=~w, and the first stage alone.
    given = three(2, unequal(), "w", fpc=["p1", "p2"], pps="brewer")
    near(given.mean("y", by="group").se, [0.52307832502131479, 0.82927095861260247])
    near(given.total("y").se, [540.57793728872559])
    alone = three(1, unequal(), "w", fpc="p1", strata="region", pps="brewer")
    near(alone.mean("y", by="group").se, [0.49064215593508431, 0.82525728368726126])
    near(alone.total("y").se, [448.75814570137146])


def test_equal_probabilities_are_a_special_case_of_brewer() -> None:
    equal, brewer = three(frame=fractions()), three(frame=fractions(), pps="brewer")
    for kind in ("mean", "total", "ratio", "proportion"):
        near(by_group(brewer, kind).cov, by_group(equal, kind).cov)


def test_a_unit_that_was_certain_deviates_by_nothing() -> None:
    frame = pl.DataFrame({"y": [1.0, 5.0, 3.0], "p": [1.0, 0.5, 0.25]})
    z = np.array([1, 10, 12])
    wanted = 3 / 2 * np.array([0, 0.5, 0.75]) @ (z - z.mean()) ** 2
    svy = sy.Survey(frame, fpc="p", pps="brewer")
    near(svy.total("y").se ** 2, [wanted])


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (
            [0.5, 1.5, 0.2, 3.0],
            "is not a probability in 2 rows (1, 3): with pps= and in a subsample, fpc= is each",
        ),
        ([0.5, 0.0, 0.2, 0.1], "is not a probability in row 1: with pps= and in a subsample"),
        ([0.5, -0.5, 0.2, 0.1], "is negative in 1 row (row 1)"),
        ([0.5, None, 0.2, 0.1], "is missing (null or NaN) in 1 row (row 1)"),
    ],
)
def test_what_is_no_probability(p: list[float | None], message: str) -> None:
    with pytest.raises(errors.InvalidFpc, match=re.escape(f"fpc column 'p' {message}")) as e:
        sy.Survey(pl.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "p": p}), fpc="p", pps="brewer")
    assert e.value.column == "p"


def test_a_unit_has_one_probability() -> None:
    frame = pl.DataFrame({"c": ["a", "a", "b", "c"], "p": [0.5, 0.4, 0.2, 0.1]})
    message = "is not constant in cluster 'a' of column 'c': 1 row (row 1) differ from the unit's"
    with pytest.raises(errors.InvalidFpc, match=re.escape(f"fpc column 'p' {message}")):
        sy.Survey(frame, clusters="c", fpc="p", pps="brewer")
    with pytest.raises(errors.InvalidFpc, match=re.escape("probability in cluster 'b' of column")):
        sy.Survey(
            frame.with_columns(p=pl.Series([0.5, 0.5, 0.0, 0.1])),
            clusters="c",
            fpc="p",
            pps="brewer",
        )


def test_a_lonely_unit_of_unequal_probability() -> None:
    frame = pl.DataFrame({"h": ["a", "a", "b"], "y": [1.0, 2.0, 4.0], "p": [0.5, 0.25, 0.2]})
    with pytest.raises(errors.LonelyStratum, match="stratum 'b' of 'h' has a single sampled row"):
        sy.Survey(frame, strata="h", fpc="p", pps="brewer")
    certain = frame.with_columns(p=pl.Series([0.5, 0.25, 1.0]))
    svy = sy.Survey(certain, strata="h", fpc="p", pps="brewer")
    z = np.array([2.0, 8.0])
    near(svy.total("y").se ** 2, [2 * np.array([0.5, 0.75]) @ (z - 5) ** 2])


def test_an_unknown_selection_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'madow'.*'brewer', 'overton'"):
        sy.Survey(election(), fpc="p", pps="madow")  # type: ignore[arg-type]
