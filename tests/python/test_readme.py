"""The README's promises: its ten lines run, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

import steelyard as sy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ten_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # they save a file
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
        assert len([line for line in block.splitlines() if line.strip()]) <= 10
    assert isinstance(names["agree"], sy.Estimates)
    assert isinstance(names["schools"], sy.Survey)


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    # The guides are not part of what is installed, so they may be absent beside the tests.
    assert all((ROOT / target).exists() for target in targets if (ROOT / "notebooks").exists())


def test_order_of_the_page() -> None:
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert headings[:5] == [
        "Two commands",
        "What you get",
        "Ten lines",
        "What it has that others do not",
        "How exact, how fast",
    ]
