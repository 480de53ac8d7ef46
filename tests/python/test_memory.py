"""How the core meets Python: any layout of memory, other threads, and a forked child."""

import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest

import steelyard as sy

Y = [3.5, 1.25, 8.0, 2.0, 6.5, 4.0]
W = [1.0, 2.0, 1.5, 3.0, 2.5, 1.0]


def layouts() -> dict[str, pd.DataFrame]:
    table = np.column_stack([Y, W])
    packed = np.zeros(6, dtype=np.dtype([("y", "f8"), ("flag", "i4"), ("w", "f8")]))
    packed["y"], packed["w"] = Y, W
    read_only = np.array(Y)
    read_only.flags.writeable = False
    return {
        "strided": pd.DataFrame(table, columns=["y", "w"], copy=False),
        "reversed": pd.DataFrame({"y": np.array(Y[::-1])[::-1], "w": W}),
        "packed": pd.DataFrame({"y": packed["y"], "w": packed["w"]}, copy=False),
        "read-only": pd.DataFrame({"y": read_only, "w": W}, copy=False),
        "big-endian": pd.DataFrame({"y": np.array(Y, dtype=">f8"), "w": np.array(W, dtype=">f8")}),
    }


@pytest.mark.parametrize("layout", layouts())
def test_any_layout_gives_the_same_bits(layout: str) -> None:
    plain = sy.Survey(pl.DataFrame({"y": Y, "w": W}), weights="w").mean("y")
    other = sy.Survey(layouts()[layout], weights="w").mean("y")
    assert other.value == plain.value == np.dot(Y, W) / np.sum(W)
    assert other.se.tobytes() == plain.se.tobytes()


def test_other_threads_go_on_while_the_core_works() -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"y": rng.normal(size=1_000_000), "u": rng.integers(0, 500, 1_000_000)})
    survey = sy.Survey(frame, clusters="u")
    survey.mean("y")
    done = threading.Event()

    def work() -> None:
        for _ in range(20):
            survey.mean("y")
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    turns = 0
    while not done.is_set():
        turns += 1
    worker.join()
    assert turns > 1_000


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork on this platform")
def test_a_forked_child_computes_as_its_parent() -> None:
    script = """
import os
import numpy as np, polars as pl, steelyard as sy

frame = pl.DataFrame({"y": np.arange(200_000.0), "u": np.arange(200_000) % 100})
survey = sy.Survey(frame, clusters="u")
parent = survey.mean("y").se[0]
child = os.fork()
if child == 0:
    os._exit(0 if survey.mean("y").se[0] == parent else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    subprocess.run(command, check=True, timeout=60)
