"""Data to learn with: a real survey of schools and a simulated evaluation of training.

The files `apistrat`, `apiclus1`, `apiclus2` (samples) and `apipop` (their population) are real and
public. `simulate_evaluation` makes *simulated* answers, and says so in its first column.
"""

from difflib import get_close_matches
from operator import index
from pathlib import Path

import narwhals as nw
from narwhals.typing import IntoDataFrame

from steelyard.datafile import installed_backend, read_frame
from steelyard.datasets.simulated_evaluation import FIRST_YEAR, LAST_YEAR, simulated_columns

__all__ = ["founding_card", "load", "names", "path", "simulate_evaluation"]

_DATA = Path(__file__).parent / "data"
_FILES = {
    "apiclus1": "apiclus1.csv",
    "apiclus2": "apiclus2.csv",
    "apipop": "apipop.csv.gz",
    "apistrat": "apistrat.csv",
}


def names() -> list[str]:
    """Return the names of the bundled data sets, in alphabetical order.

    Examples
    --------
    >>> names()
    ['apiclus1', 'apiclus2', 'apipop', 'apistrat']
    """
    return list(_FILES)


def path(name: str) -> Path:
    """Return the file of a bundled data set: comma-separated text, `apipop` compressed by gzip.

    Parameters
    ----------
    name : str
        One of `names()`.

    Raises
    ------
    ValueError
        No bundled data set has this name; the nearest name is offered.

    Examples
    --------
    >>> path("apistrat").name
    'apistrat.csv'
    """
    if name not in _FILES:
        near = get_close_matches(name, _FILES, n=1)
        offer = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"no data set is called {name!r}; {offer}There are: {', '.join(_FILES)}.")
    return _DATA / _FILES[name]


def load(name: str, backend: str | None = None) -> IntoDataFrame:
    """Read a bundled data set as an eager data frame. Empty cells are null.

    Parameters
    ----------
    name : str
        "apistrat": 200 schools, stratified by type of school; weight `pw`, population count `fpc`.
        "apiclus1": all 183 schools of 15 sampled districts `dnum`; `pw`, `fpc` (districts).
        "apiclus2": 126 schools, at most five in each of 40 districts; `pw`, `fpc1`, `fpc2`.
        "apipop": the population, 6,194 Californian schools.
    backend : {"polars", "pandas", "pyarrow"}, optional
        Kind of frame to return. Default: the first of these that is installed.

    Returns
    -------
    polars.DataFrame, pandas.DataFrame or pyarrow.Table
        One row a school. `cds`, a code with leading zeros in the file, is read as an integer.

    Raises
    ------
    ValueError
        The data set or the backend is unknown.
    ImportError
        The backend is not installed, or none is.

    References
    ----------
    .. [1] T. Lumley, R package `survey`, data set `api`: Academic Performance Index of
       Californian schools, 1999 and 2000.

    Examples
    --------
    >>> load("apistrat").shape
    (200, 39)
    """
    return read_frame(path(name), backend)


def founding_card() -> Path:
    """Return the scorecard file of the founding case: four published indicators of training.

    Examples
    --------
    >>> founding_card().name
    'founding_indicators.toml'
    """
    return _DATA / "founding_indicators.toml"


def simulate_evaluation(
    year: int = 2023, seed: int = 2023, backend: str | None = None
) -> IntoDataFrame:
    """Make SIMULATED answers to the yearly evaluation of an international training centre.

    No row is a person: the microdata of the real evaluation are not public. The simulation imitates
    its shape (50 sampled activities, 627 responses in 2023) and, for every seed, its published
    percentages [1]_, as weighted estimates in the form in which they were printed:

    ================  ==========================================  =======  =======
    question          counted                                     2022     2023
    ================  ==========================================  =======  =======
    relevance         Agree, Strongly agree                       95       96.9
    theory_practice   Agree, Strongly agree                       90       93.8
    application       Agree, Strongly agree                       94       93.6
    example_given     Yes                                         52       75.4
    ================  ==========================================  =======  =======

    All else is invented: other years, differences between groups, and every other column. The
    figures of 2022 and 2023 match by construction, so their agreement proves nothing about the
    real evaluation.

    Parameters
    ----------
    year : int, default 2023
        Year of evaluation, 2015 to 2035. Years other than 2022 and 2023 follow a smooth level.
    seed : int, default 2023
        Non-negative. Same seed and year, same data. Years of one seed share a panel.
    backend : {"polars", "pandas", "pyarrow"}, optional
        Kind of frame to return. Default: the first of these that is installed.

    Returns
    -------
    polars.DataFrame, pandas.DataFrame or pyarrow.Table
        One row a response; questions have nulls where the answer is missing.

        - `simulated`: "simulated" in every row; `year`.
        - `activity`: the sampled cluster. "P-01" to "P-12" recur every year.
        - `topic`, `modality`, `language`, `price`: of the activity.
        - `stratum`: modality and price; `activities_in_stratum`: its population count.
        - `enrolled`: participants of the activity; `weight`: participants a response stands for.
        - `participant`: unique in a year. "C-": the core of a "P-" activity, about half of its
          respondents, who recur; "N2023-": new that year.
        - `gender`, `region`, `ldc` (lives in a least developed country).
        - `relevance`, `theory_practice`, `application`: "Strongly disagree" to "Strongly agree".
        - `example_given`: gave a concrete example of applied knowledge, "Yes" or "No".
        - `competence_before`, `competence_after`: self-assessed, 1 to 5.
        - `resource_person`: who taught; `satisfaction` with that person's sessions, 1 to 5.

    Raises
    ------
    ValueError
        The year is outside 2015 to 2035, the seed is negative, or the backend is unknown.
    ImportError
        The backend is not installed, or none is.

    Notes
    -----
    Activities are drawn without replacement within strata of modality and price; the weight is
    N_h / n_h times enrolled / responses of the activity. Women, and face-to-face participants,
    respond more often. Answers share effects of the activity, of the person and of the modality.

    References
    ----------
    .. [1] Management response to the external evaluation of the 2022 training activities, Turin,
       September 2023; figures from the final report, ITCILO training evaluation 2023, p. 6.

    Examples
    --------
    >>> simulate_evaluation(2023).shape
    (627, 23)
    """
    if not FIRST_YEAR <= index(year) <= LAST_YEAR:
        raise ValueError(f"year is {year}; choose one from {FIRST_YEAR} to {LAST_YEAR}.")
    if index(seed) < 0:
        raise ValueError(f"seed is {seed}; choose an integer that is not negative.")
    columns = simulated_columns(index(year), index(seed))
    native: IntoDataFrame = nw.from_dict(columns, backend=installed_backend(backend)).to_native()
    return native
