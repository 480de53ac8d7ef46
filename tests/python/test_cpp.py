"""The C++ core: its own tests, and its use by a CMake project of somebody else."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PRESETS = ROOT / "cpp" / "CMakePresets.json"

# Raised with every test added: a test that disappears is a failure.
FEWEST_TESTS = 619

# "asan" builds with AddressSanitizer and UndefinedBehaviorSanitizer.
PRESET = os.environ.get("STEELYARD_CPP_PRESET", "release")

# The headers, CMake and Ninja may have come from PyPI into an environment that is not activated.
PREFIXES = [sysconfig.get_path("purelib"), sys.prefix]
PATH = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])


def run(*command: str | Path) -> str:
    """Run a command and return its output; fail with the end of it."""
    program = shutil.which(command[0], path=PATH)
    if program is None:
        pytest.fail(f"{command[0]} was not found: pip install 'steelyard[test]'", pytrace=False)
    done = subprocess.run(
        [program, *map(str, command[1:])],
        env={**os.environ, "PATH": PATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        line = " ".join(map(str, command))
        pytest.fail(f"{line} returned {done.returncode}:\n{done.stdout[-8000:]}", pytrace=False)
    return done.stdout


def require_compiler() -> None:
    given = os.environ.get("CXX", "").split()
    candidates = given[:1] or ["c++", "g++", "clang++", "cl"]
    if not any(shutil.which(name, path=PATH) for name in candidates):
        pytest.fail(
            f"no C++ compiler was found (looked for {', '.join(candidates)}). The core cannot be "
            "tested without one: install g++ or clang++, or name yours in the variable CXX",
            pytrace=False,
        )


def preset_variable(name: str) -> str:
    """Return a cache variable of the preset in use, empty where it sets none."""
    presets = json.loads(PRESETS.read_text())["configurePresets"]
    preset = next(preset for preset in presets if preset["name"] == PRESET)
    return str(preset["cacheVariables"].get(name, ""))


def parallel() -> list[str]:
    return ["--parallel", str(os.cpu_count() or 1)]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the library and its tests, once."""
    require_compiler()
    directory = tmp_path_factory.mktemp("cpp")
    prefixes = ";".join(PREFIXES)
    options = [f"-DCMAKE_PREFIX_PATH={prefixes}", "-DSTEELYARD_TESTS=ON"]
    run("cmake", "-S", ROOT / "cpp", "-B", directory, "--preset", PRESET, *options)
    run("cmake", "--build", directory, *parallel())
    return directory


def test_core_passes_its_own_tests(
    build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    suffix = sysconfig.get_config_var("EXE") or ""
    run(build / "tests" / f"steelyard_tests{suffix}", f"--gtest_output=json:{report}")
    counts = json.loads(report.read_text())
    with capsys.disabled():
        print(f"\n{PRESET}: {counts['tests']} C++ tests in {counts['time']}", end="")
    assert counts["failures"] == counts["errors"] == counts["disabled"] == 0
    assert counts["tests"] >= FEWEST_TESTS


# Lohr (2010), example 5.2: 2.826 and 0.164 as printed; R 4.2.2, survey 4.1.1 for the interval:
# confint(svymean(~gpa, design), df = 4).
def test_installed_core_serves_another_project(build: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    consumer = tmp_path / "consumer"
    run("cmake", "--install", build, "--prefix", installed)
    prefixes = ";".join([str(installed), *PREFIXES, str(Path(PREFIXES[0]) / "cmeel.prefix")])
    options = [
        f"-DCMAKE_PREFIX_PATH={prefixes}",
        "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_CXX_FLAGS={preset_variable('CMAKE_CXX_FLAGS')}",
    ]
    source = ROOT / "tests" / "cpp" / "consumer"
    run("cmake", "-S", source, "-B", consumer, "-G", "Ninja", *options)
    run("cmake", "--build", consumer, *parallel())
    suffix = sysconfig.get_config_var("EXE") or ""
    assert run(consumer / f"consumer{suffix}").split() == ["2.826", "0.164", "2.372", "3.280"]
