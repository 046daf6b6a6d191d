"""The proof on 64-bit ARM, without ARM hardware: `python tests/check.py --arm`.

C kernels and their tests are cross-built and run under qemu; then a real CPython for ARM runs the project's own tests
of kernels, wire and node, and flies a short run in virtual time. Its trace must be that of this machine: with the
best kernels, with the portable ones, with the NumPy references, and with NumPy held to its baseline.

The last line sums up: 'N passed, N failed, N skipped'. The exit status is 77 when something is missing here, and the
line before it says what.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.arm.userland import UnreachableError, Userland, prepare
from tests.check import PYTEST_NOTHING_COLLECTED, PYTHON, ROOT, ctest_counts, pytest_counts, run

BUILD: Final = ROOT / "build" / "arm64"
NATIVE: Final = BUILD / "native"
TREE: Final = BUILD / "tree"
PLAN: Final = BUILD / "plan"
FLY: Final = str(ROOT / "tests" / "arm" / "fly.py")
STATUS_NOT_PROVEN: Final = 77

NEWER: Final = "cortex-a76"
OLDER: Final = "cortex-a72"
BEST_LEVEL: Final = {NEWER: "neon_dot", OLDER: "neon"}

TOOLS: Final = {
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "/usr/aarch64-linux-gnu/lib/libc.so.6": "libc6-dev-arm64-cross",
    "qemu-aarch64-static": "qemu-user-static",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}
"""What must be there, and Debian's package that brings it."""

SUITES: Final = (
    ("kernels", NEWER, ("tests/unit/kernels",)),
    ("wire, node", NEWER, ("tests/unit/wire", "tests/unit/node")),
    ("laws", OLDER, ("tests/property/test_kernels*.py", "tests/property/test_codecs.py")),
)
"""Name, processor, and tests: those whose bits could depend on the machine."""

SCENARIO: Final = ("string_of_three", "7", "300")
PRODUCTS_MIN: Final = 4


@dataclass
class Part:
    """One part of the proof: how many of its tests went how, and what it printed."""

    name: str
    counts: dict[str, int]
    output: str = ""
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Something was tried, and nothing failed."""
        return self.counts.get("failed", 0) == 0 and self.counts.get("passed", 0) > 0


@dataclass
class Flights:
    """Variants of one flight, each a test: the first on this machine gives the hashes that the others must have."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    output: str = ""

    def fly(self, name: str, python: str, environment: dict[str, str], **expected: object) -> bool:
        """Fly one variant; whether it was what it should be and has the hashes of the first."""
        status, text = run([python, "-P", FLY, "fly", str(PLAN)], extra=environment)
        lines = text.splitlines()
        if status != 0 or not lines or not lines[-1].startswith("{"):
            self.output += f"{name}: exit status {status}\n{text}\n"
            return False
        result: dict[str, Any] = json.loads(lines[-1])
        first = next(iter(self.results.values()), result)
        self.results[name] = result
        expected |= {key: first[key] for key in ("trace_hash", "products_hash", "products", "records")}
        wrong = {key: (result[key], value) for key, value in expected.items() if result[key] != value}
        if result["trace_hash"] is None or result["products"] < PRODUCTS_MIN:
            wrong["products"] = (result["products"], PRODUCTS_MIN)
        self.output += f"{name}: {lines[-1]}\n" + (f"  WRONG (is, should be): {wrong}\n" if wrong else "")
        return not wrong


def missing_tools() -> list[str]:
    """What is not here, with the package that brings it."""
    return [
        f"{tool} (Debian: {package})"
        for tool, package in TOOLS.items()
        if shutil.which(tool) is None and not Path(tool).is_file()
    ]


def build(userland: Userland | None) -> Part:
    """Cross-build library, C tests and, where its headers are there, the Python module; copy the sources beside it."""
    cmake = shutil.which("cmake") or shutil.which("cmake", path=str(Path(PYTHON).parent)) or "cmake"
    settings = [
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/native/cmake/aarch64-linux-gnu.cmake",
        "-DFOS_BUILD_TESTS=ON",
        f"-DFOS_PYTHON_MODULE={'ON' if userland else 'OFF'}",
        f"-DPython_EXECUTABLE={PYTHON}",
        f"-DFOS_TARGET_PYTHON_INCLUDE={userland.includes if userland else ''}",
    ]
    shutil.rmtree(TREE, ignore_errors=True)
    # The module beside the sources is that of this machine.
    unwanted = shutil.ignore_patterns("__pycache__", "_fos*.so")
    for package in ("flightos", "sil"):
        shutil.copytree(ROOT / package, TREE / package, ignore=unwanted)
    output = ""
    for command in (
        [cmake, "-S", "native", "-B", str(NATIVE), *settings],
        [cmake, "--build", str(NATIVE), "--parallel", "2"],
        [cmake, "--install", str(NATIVE), "--prefix", str(TREE)],
    ):
        status, text = run(command)
        output += text
        if status != 0:
            return Part("build", {"failed": 1}, output)
    return Part("build", {"passed": 1}, output)


def native_tests(processor: str) -> Part:
    """The C tests, each at every level that the processor has."""
    ctest = shutil.which("ctest") or shutil.which("ctest", path=str(Path(PYTHON).parent)) or "ctest"
    command = [ctest, "--test-dir", str(NATIVE), "--output-on-failure", "--no-tests=error"]
    status, output = run(command, extra={"QEMU_CPU": processor})
    counts = ctest_counts(output)
    if status != 0:
        counts["failed"] = max(1, counts["failed"])
    return Part(f"C tests, {processor}", counts, output)


def arm_environment(userland: Userland, processor: str) -> dict[str, str]:
    """For processes on ARM: our packages and the wheels, never the sources of this machine with its own module."""
    return {
        "QEMU_CPU": processor,
        "PYTHONPATH": f"{TREE}:{userland.site}",
        "PYTHONSAFEPATH": "1",
        "PYTHONPYCACHEPREFIX": str(BUILD / "pycache"),
        "FLIGHTOS_KERNELS": "c",
    }


def pytest_suite(userland: Userland, name: str, processor: str, patterns: Sequence[str]) -> Part:
    """Some of the project's tests, by CPython for ARM."""
    files = [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    pytest = [str(userland.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5"]
    where = ["-o", f"pythonpath={TREE.relative_to(ROOT)} ."]
    status, output = run([*pytest, *where, *files], extra=arm_environment(userland, processor))
    counts = pytest_counts(output)
    if status not in (0, PYTEST_NOTHING_COLLECTED):
        counts["failed"] = max(1, counts["failed"])
    return Part(f"pytest {name}, {processor}", counts, output)


def flights(userland: Userland) -> Part:
    """The same plan here and there, with every kind of kernel."""
    status, output = run([PYTHON, FLY, "make", str(PLAN), *SCENARIO])
    if status != 0:
        return Part("flights", {"failed": 1}, output)
    here, there = PYTHON, str(userland.python)
    newer, older = arm_environment(userland, NEWER), arm_environment(userland, OLDER)
    portable, references = {"FLIGHTOS_CPU": "portable"}, {"FLIGHTOS_KERNELS": "numpy"}
    plain: dict[str, object] = {"isa": "portable"}
    arm: dict[str, object] = {"machine": "aarch64"}
    has_kernels = any((ROOT / "flightos").glob("_fos*.so"))
    flown = Flights()
    verdicts = [
        flown.fly("here", here, {}),
        flown.fly("here, portable", here, portable, **(plain if has_kernels else {})),
        flown.fly("here, NumPy baseline", here, numpy_baseline(here, {}), numpy_features=[]),
        flown.fly("ARM", there, newer, isa=BEST_LEVEL[NEWER], **arm),
        flown.fly("ARM, portable", there, newer | portable, **plain, **arm),
        flown.fly(
            "ARM, NumPy baseline", there, newer | numpy_baseline(there, newer), numpy_features=[], **arm
        ),
        flown.fly("ARM, NumPy references", there, newer | references, kernels="numpy", **arm),
        flown.fly("older ARM", there, older, isa=BEST_LEVEL[OLDER], **arm),
    ]
    return Part("flights", {"passed": sum(verdicts), "failed": verdicts.count(False)}, flown.output)


def numpy_baseline(python: str, environment: dict[str, str]) -> dict[str, str]:
    """The setting that holds NumPy's dispatch to its baseline on that machine."""
    _status, output = run([python, FLY, "numpy-features"], extra=environment)
    return {"NPY_DISABLE_CPU_FEATURES": (output.splitlines() or [""])[-1]}


def timed(part: Callable[[], Part]) -> Part:
    """Do one part and say how it went."""
    started_s = time.monotonic()
    done = part()
    done.took_s = time.monotonic() - started_s
    counts = ", ".join(f"{number} {word}" for word, number in done.counts.items() if number)
    print(
        f"  {done.name:<28} {'passed' if done.is_good else 'FAILED'} {done.took_s:7.1f} s  {counts}",
        flush=True,
    )
    return done


def prove() -> tuple[list[Part], str]:
    """All parts that can be done here, and why others cannot."""
    reason = ""
    userland = None
    started_s = time.monotonic()
    try:
        userland = prepare(BUILD / "userland")
        print(f"  {'userland':<28} ready  {time.monotonic() - started_s:7.1f} s", flush=True)
    except UnreachableError as error:
        reason = f"only the C tests ran; not to be had: {error}"
    parts = [timed(lambda: build(userland))]
    if not parts[0].is_good:
        return parts, reason
    todo: list[Callable[[], Part]] = [lambda: native_tests(NEWER), lambda: native_tests(OLDER)]
    if userland is not None:
        arm = userland
        todo = [
            *(lambda suite=suite: pytest_suite(arm, *suite) for suite in SUITES),
            lambda: flights(arm),
            *todo,
        ]
    with ThreadPoolExecutor(max_workers=2) as lanes:
        parts += lanes.map(timed, todo)
    return parts, reason


def main() -> int:
    """Prove what can be proven here; the exit status."""
    missing = missing_tools()
    parts, reason = ([], f"missing: {', '.join(missing)}") if missing else prove()
    for part in parts:
        if not part.is_good:
            print(f"\n=== {part.name} ===\n{part.output}")
        elif part.name == "flights":
            print(part.output)
    sums = {word: sum(part.counts.get(word, 0) for part in parts) for word in ("passed", "failed", "skipped")}
    if reason:
        print(f"NOT PROVEN ON ARM: {reason}")
    print(", ".join(f"{number} {word}" for word, number in sums.items()))
    if not all(part.is_good for part in parts):
        return 1
    return STATUS_NOT_PROVEN if reason else 0


if __name__ == "__main__":
    sys.exit(main())
