"""Every check of the project, in one command: `python tests/check.py`, or `--fast` in under a minute.

`--arm` is the proof on 64-bit ARM alone (tests/arm); the full run ends with it.

Stages run one after another, two lanes at a time where they do not disturb each other; each is timed, a
failing one is named and its output shown. A missing tool is a loud skip. The last line sums pytest and the C
tests: 'N passed, N failed, N skipped'. Exit code 0 only when nothing failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON: Final = sys.executable
PYTHON_FOLDERS: Final = ("flightos", "sil", "tests", "examples")
OUTPUT_LINES_MAX: Final = 200
PYTEST_NOTHING_COLLECTED: Final = 5
STAGE_S_MAX: Final = 1_200
FUZZ_TARGETS: Final = ("ccsds121", "ccsds123", "crc", "erasure")
FUZZ_S: Final = 4
"""Seconds of libFuzzer for each target."""
CLANGS: Final = ("clang", *(f"clang-{version}" for version in range(22, 10, -1)))
STATUS_NOT_PROVEN: Final = 77
"""Exit status of the proof on ARM where something that it needs is not there."""


@dataclass
class Outcome:
    """What a stage gave: 'passed', 'failed' or 'skipped', test counts, and its output."""

    verdict: str
    output: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Stage:
    """A named check. `is_fast` ones belong to --fast; `is_alone` ones want both cores for themselves."""

    name: str
    check: Callable[[bool], Outcome]
    is_fast: bool = True
    is_alone: bool = False


def run(command: Sequence[str], cwd: Path = ROOT, extra: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a command; its exit status and its output. 127 when it is not there, 124 when it takes too long."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "110"} | (extra or {})
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=STAGE_S_MAX,
            check=False,
        )
    except FileNotFoundError as error:
        return 127, str(error)
    except subprocess.TimeoutExpired as error:
        return 124, f"{error.output or ''}\nstopped after {STAGE_S_MAX} s"
    return done.returncode, done.stdout


def static_check(module: str, arguments: Sequence[str], package: str = "") -> Callable[[bool], Outcome]:
    """A stage that runs `python -m module arguments`, skipped when the package is not installed."""

    def check(_fast: bool) -> Outcome:
        if find_spec(package or module) is None:
            return Outcome("skipped", note=f"{package or module} is not installed: pip install '.[test]'")
        status, output = run([PYTHON, "-m", module, *arguments])
        return Outcome("passed" if status == 0 else "failed", output)

    return check


def import_contracts(_fast: bool) -> Outcome:
    """The layers and forbidden imports of pyproject.toml."""
    if find_spec("importlinter") is None:
        return Outcome("skipped", note="import-linter is not installed: pip install '.[test]'")
    code = "from importlinter.cli import lint_imports_command as main; main()"
    status, output = run([PYTHON, "-c", code, "--no-cache"])
    return Outcome("passed" if status == 0 else "failed", output)


def reads_vectors(path: Path) -> bool:
    """True for a test file that compares with the published numbers in tests/vectors."""
    return bool(re.search(r"[\"/]vectors[\"/]", path.read_text(encoding="utf-8")))


def pytest_on(*folders: str, has_vectors: bool | None = None) -> Callable[[bool], Outcome]:
    """A stage that runs pytest on folders of tests/; with --fast without tests marked slow.

    `has_vectors` chooses the files that read tests/vectors, or leaves them to their own stage.
    """

    def check(fast: bool) -> Outcome:
        files = [path for folder in folders for path in sorted((ROOT / "tests" / folder).rglob("test_*.py"))]
        present = [
            str(path.relative_to(ROOT))
            for path in files
            if has_vectors is None or reads_vectors(path) == has_vectors
        ]
        if find_spec("pytest") is None:
            return Outcome("skipped", note="pytest is not installed: pip install '.[test]'")
        if not present:
            return Outcome("skipped", note=f"no tests in {', '.join(folders)}")
        select = ["-m", "not slow"] if fast else []
        status, output = run([PYTHON, "-m", "pytest", "-q", "--durations=3", *select, *present])
        counts = pytest_counts(output)
        if status == PYTEST_NOTHING_COLLECTED:
            note = "every test is marked slow" if fast else "no tests"
            return Outcome("skipped", output, counts, note)
        return Outcome("passed" if status == 0 else "failed", output, counts)

    return check


def pytest_counts(output: str) -> dict[str, int]:
    """Passed, failed and skipped from the last line of pytest."""
    lines = [line for line in output.splitlines() if re.search(r"\d+ \w+.* in [\d.:]+", line)]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    names = {"error": "failed", "errors": "failed", "xfailed": "passed", "xpassed": "failed"}
    for number, word in re.findall(r"(\d+) (\w+)", lines[-1] if lines else ""):
        word = names.get(word, word)
        if word in counts:
            counts[word] += int(number)
    return counts


def find_tool(name: str) -> str | None:
    """A program of the machine, else the one that came as a wheel."""
    return shutil.which(name) or shutil.which(name, path=str(Path(PYTHON).parent))


def native_tests(_fast: bool) -> Outcome:
    """The C tests and the fuzz corpora under the address and undefined-behaviour sanitizers."""
    cmake = find_tool("cmake")
    ctest = find_tool("ctest")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    for tool, found in (("cmake", cmake), ("ctest", ctest), ("a C compiler", compiler)):
        if not found:
            return Outcome("skipped", note=f"{tool} is not installed")
    build = ROOT / "build" / "sanitized"
    settings = ["-DFOS_BUILD_TESTS=ON", "-DFOS_SANITIZE=address,undefined", "-DCMAKE_BUILD_TYPE=Debug"]
    output = ""
    for command in (
        [str(cmake), "-S", "native", "-B", str(build), *settings],
        [str(cmake), "--build", str(build), "--parallel", "2"],
        [str(ctest), "--test-dir", str(build), "--output-on-failure", "--no-tests=error"],
    ):
        status, text = run(command)
        output += text
        if status != 0:
            return Outcome("failed", output, ctest_counts(output))
    return Outcome("passed", output, ctest_counts(output))


def ctest_counts(output: str) -> dict[str, int]:
    """Passed and failed from the summary of ctest."""
    found = re.search(r"(\d+) tests? failed out of (\d+)", output)
    failed, total = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    return {"passed": total - failed, "failed": failed, "skipped": 0}


def has_libfuzzer(clang: str) -> bool:
    """True when this clang links a fuzz target: its runtime libraries are a package of their own."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "target.c"
        source.write_text(
            "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);\n"
            "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { (void)d; return n > 99; }\n"
        )
        command = [clang, "-fsanitize=fuzzer,address,undefined", str(source), "-o", f"{folder}/target"]
        return run(command)[0] == 0


def libfuzzer(_fast: bool) -> Outcome:
    """Each fuzz target for a moment under libFuzzer and the sanitizers, from its corpus on."""
    clang = next((path for name in CLANGS if (path := shutil.which(name)) and has_libfuzzer(path)), None)
    cmake = find_tool("cmake")
    if clang is None or cmake is None:
        missing = "cmake" if clang else "clang with libFuzzer"
        note = f"{missing} is not installed: the corpora ran in the stage native, with gcc's mutator"
        return Outcome("skipped", note=note)
    build = ROOT / "build" / "libfuzzer"
    settings = [f"-DCMAKE_C_COMPILER={clang}", "-DFOS_LIBFUZZER=ON", "-DFOS_SANITIZE=address,undefined"]
    # Vectors under sanitizers take clang minutes where it is to make them fast.
    settings += ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS=-O1"]
    output = ""
    for command in (
        [cmake, "-S", "native", "-B", str(build), *settings],
        [cmake, "--build", str(build), "--parallel", "2"],
    ):
        status, text = run(command)
        output += text
        if status != 0:
            return Outcome("failed", output)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for target in FUZZ_TARGETS:
        corpus = ROOT / "native" / "fuzz" / "corpus" / target
        options = [f"-max_total_time={FUZZ_S}", "-timeout=20", "-max_len=512", "-print_final_stats=1"]
        with TemporaryDirectory() as found:  # new inputs go there, not into the corpus
            command = [str(build / "fuzz" / f"fuzz_{target}"), *options, found, str(corpus)]
            status, text = run(command, cwd=build)  # an input that fails stays there
        output += text
        counts["passed" if status == 0 else "failed"] += 1
    return Outcome("failed" if counts["failed"] else "passed", output, counts)


def arm_proof(_fast: bool) -> Outcome:
    """Kernels, tests and a short flight on 64-bit ARM under qemu: tests/arm/prove.py."""
    status, output = run([PYTHON, "-m", "tests.arm.prove"])
    lines = output.splitlines()
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", lines[-1] if lines else "")}
    if status == STATUS_NOT_PROVEN:
        return Outcome("skipped", output, counts, note=lines[-2])
    return Outcome("passed" if status == 0 else "failed", output, counts)


STAGES: Final = (
    Stage("types", static_check("mypy", [])),
    Stage("unit", pytest_on("unit", "house", has_vectors=False)),
    Stage("format", static_check("ruff", ["format", "--check", *PYTHON_FOLDERS])),
    Stage("lint", static_check("ruff", ["check", *PYTHON_FOLDERS])),
    Stage("imports", import_contracts),
    Stage("vectors", pytest_on("unit", has_vectors=True)),
    Stage("property", pytest_on("property", "fuzz")),
    Stage("native", native_tests, is_fast=False),
    Stage("fuzz", libfuzzer, is_fast=False),
    Stage("simulation", pytest_on("simulation"), is_fast=False, is_alone=True),
    Stage("integration", pytest_on("integration"), is_fast=False, is_alone=True),
    Stage("arm", arm_proof, is_fast=False, is_alone=True),
)


def run_stage(stage: Stage, fast: bool) -> tuple[Stage, Outcome]:
    """Run one stage and say how it went."""
    started_s = time.monotonic()
    outcome = stage.check(fast)
    took_s = time.monotonic() - started_s
    counts = ", ".join(f"{number} {word}" for word, number in outcome.counts.items() if number)
    mark = outcome.verdict.upper() if outcome.verdict != "passed" else outcome.verdict
    print(f"{stage.name:<12} {mark:<8} {took_s:7.1f} s  {outcome.note or counts}", flush=True)
    return stage, outcome


def run_all(stages: Sequence[Stage], fast: bool) -> list[tuple[Stage, Outcome]]:
    """Those that may share the machine in two lanes, then the others alone; in the order of the table."""
    with ThreadPoolExecutor(max_workers=2) as lanes:
        sharing = [stage for stage in stages if not stage.is_alone]
        shared = list(lanes.map(lambda stage: run_stage(stage, fast), sharing))
    return shared + [run_stage(stage, fast) for stage in stages if stage.is_alone]


def report(results: Sequence[tuple[Stage, Outcome]], took_s: float) -> int:
    """Show failing output and the sums; the exit status."""
    for stage, outcome in results:
        if outcome.verdict == "failed":
            lines = outcome.output.rstrip().splitlines()
            cut = (
                [f"... {len(lines) - OUTPUT_LINES_MAX} lines above"] if len(lines) > OUTPUT_LINES_MAX else []
            )
            print(f"\n=== {stage.name} ===", *cut, *lines[-OUTPUT_LINES_MAX:], sep="\n")
    failed = [stage.name for stage, outcome in results if outcome.verdict == "failed"]
    skipped = [f"{stage.name} ({outcome.note})" for stage, outcome in results if outcome.verdict == "skipped"]
    print()
    if skipped:
        print(f"STAGES SKIPPED: {'; '.join(skipped)}")
    if not any((ROOT / "flightos").glob("_fos*.so")):
        print("NO C MODULE beside the sources: the tests ran on the NumPy references only")
    print(f"stages failed: {', '.join(failed)}" if failed else f"every stage passed, {took_s:.0f} s")
    words = ("passed", "failed", "skipped")
    sums = {word: sum(outcome.counts.get(word, 0) for _, outcome in results) for word in words}
    print(f"{sums['passed']} passed, {sums['failed']} failed, {sums['skipped']} skipped")
    return 1 if failed else 0


def main() -> int:
    """Parse the command line, run the stages, give the exit status."""
    parser = argparse.ArgumentParser(description="Run every check of the project.")
    parser.add_argument("--fast", action="store_true", help="only what takes less than a minute together")
    parser.add_argument("--arm", action="store_true", help="only the proof on 64-bit ARM, like the stage arm")
    names = [stage.name for stage in STAGES]
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"only these: {' '.join(names)}")
    options = parser.parse_args()
    if options.arm:
        options.stages.append("arm")
    unknown = [name for name in options.stages if name not in names]
    if unknown:
        parser.error(f"unknown stages {unknown}; known: {' '.join(names)}")
    stages = [
        stage
        for stage in STAGES
        if (stage.name in options.stages if options.stages else stage.is_fast or not options.fast)
    ]
    started_s = time.monotonic()
    results = run_all(stages, options.fast)
    return report(results, time.monotonic() - started_s)


if __name__ == "__main__":
    sys.exit(main())
