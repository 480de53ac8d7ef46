"""What every test may rely on."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_open_figures() -> Iterator[None]:
    """Close the pictures that a test drew."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
