"""Execute the notebooks on a clean kernel, and keep or check their outputs.

`python notebooks/execute.py` runs each notebook and stores what it shows;
`--check` runs each and fails if any cell fails, or shows another text than the stored one.
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
LONGEST = 120  # seconds a notebook may take


def execute(path: Path) -> nbformat.NotebookNode:
    """Run every cell of a notebook, from the top."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(HERE)}}
    NotebookClient(notebook, timeout=LONGEST, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """What each cell shows as text."""
    return [
        "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def main() -> int:
    """Run all notebooks; the exit status says whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="do not write")
    check = parser.parse_args().check
    failed = 0
    for path in sorted(HERE.glob("*.ipynb")):
        start = time.monotonic()
        notebook = execute(path)
        seconds = time.monotonic() - start
        same = texts(notebook) == texts(nbformat.read(path, as_version=4))
        stale = check and not same
        print(f"{path.name}: {seconds:.1f} s{', stored output is stale' if stale else ''}")
        failed += stale
        if not check:
            nbformat.write(notebook, path)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
