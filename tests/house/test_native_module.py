"""The C module as it is built: one visible name, the stable ABI alone, and no flag that changes arithmetic."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Final

import numpy as np
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = sorted((ROOT / "flightos").glob("_fos*.so"))
COMPILER: Final = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
CMAKE: Final = shutil.which("cmake") or shutil.which("cmake", path=str(Path(sys.executable).parent))
NM: Final = shutil.which("nm")
MATH_FLAGS: Final = ("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
FORBIDDEN_FLAGS: Final = re.compile(
    r"(?<!\S)-(?:Ofast|ffast-math|funsafe-math-optimizations|fassociative-math|freciprocal-math"
    r"|ffinite-math-only|fno-signed-zeros|ffp-contract=(?!off)\S+|fopenmp\S*|m(?:arch|cpu)=native)(?!\S)"
)
"""They change results, the rounding of the whole process (gcc < 13), or what machines it runs on."""

needs_module = pytest.mark.skipif(not MODULES, reason="NO C MODULE beside the sources")


def minimum_version() -> str:
    """The oldest CPython that the wheel is tagged for: cp311 is 3.11."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    digits = settings["tool"]["scikit-build"]["wheel"]["py-api"].removeprefix("cp")
    return f"{digits[0]}.{digits[1:]}"


def visible_names(library: Path) -> list[str]:
    """What a shared library offers to others."""
    lines = subprocess.run(
        [str(NM), "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line.split()[-1] for line in lines]


@needs_module
@pytest.mark.skipif(NM is None, reason="nm (binutils) is not installed")
def test_only_the_entry_of_the_module_is_visible() -> None:
    """Kernels are reached through it, and clash with no other library of the process."""
    assert [visible_names(module) for module in MODULES] == [["PyInit__fos"]]


def test_the_wheel_promises_the_version_that_the_module_is_built_for() -> None:
    """py-api of pyproject.toml is Py_LIMITED_API of the build."""
    build = (ROOT / "native/cmake/python_module.cmake").read_text(encoding="utf-8")
    limited = re.search(r"Py_LIMITED_API=0x(\w\w)(\w\w)0000\b", build)
    assert limited
    assert minimum_version() == f"{int(limited[1], 16)}.{int(limited[2], 16)}"


def audited(library: Path) -> tuple[int, int]:
    """Names outside the stable ABI, and names newer than the promised version, as abi3audit counts them."""
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "abi3audit",
            "-s",
            "-S",
            "--assume-minimum-abi3",
            minimum_version(),
            str(library),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "500", "NO_COLOR": "1"},
        check=False,
    )
    output = found.stdout + found.stderr
    counts = re.search(r"(\d+) ABI version mismatches and (\d+)\s+ABI violations found", output)
    assert counts, output
    return int(counts[1]), int(counts[2])


needs_auditor = pytest.mark.skipif(
    importlib.util.find_spec("abi3audit") is None, reason="abi3audit is not installed: pip install '.[test]'"
)


@needs_module
@needs_auditor
def test_the_module_keeps_to_the_stable_abi() -> None:
    """One wheel serves every CPython from the promised version on."""
    assert [audited(module) for module in MODULES] == [(0, 0)]


@needs_auditor
@pytest.mark.skipif(
    COMPILER is None or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="no C compiler or Python.h",
)
def test_the_audit_sees_a_function_outside_the_stable_abi(tmp_path: Path) -> None:
    """The audit itself can fail."""
    source, library = tmp_path / "_bad.c", tmp_path / "_bad.abi3.so"
    source.write_text(
        "#include <Python.h>\nPyMODINIT_FUNC PyInit__bad(void) { return (PyObject *)_PyUnicode_AsString(0); }\n"
    )
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run(
        [str(COMPILER), "-shared", "-fPIC", "-w", include, str(source), "-o", str(library)], check=True
    )
    assert audited(library) != (0, 0)


@pytest.mark.skipif(CMAKE is None or COMPILER is None, reason="cmake or a C compiler is not installed")
def test_no_command_of_the_build_changes_arithmetic(tmp_path: Path) -> None:
    """Each file of ours has the three flags of bit-equality; no command, links included, a forbidden one."""
    options = ("-DFOS_PYTHON_MODULE=ON", "-DFOS_BUILD_TESTS=ON", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    python = f"-DPython_EXECUTABLE={sys.executable}"
    command = [str(CMAKE), "-S", str(ROOT / "native"), "-B", str(tmp_path), python, *options]
    subprocess.run(command, check=True, capture_output=True)
    compiled = json.loads((tmp_path / "compile_commands.json").read_text(encoding="utf-8"))
    ours = [entry for entry in compiled if Path(entry["file"]).is_relative_to(ROOT / "native")]
    assert len(ours) > 50
    strange = [
        entry["file"] for entry in ours if any(flag not in entry["command"].split() for flag in MATH_FLAGS)
    ]
    assert strange == []
    links = [path for name in ("link.txt", "build.ninja") for path in tmp_path.rglob(name)]
    assert links
    commands = [entry["command"] for entry in compiled] + [path.read_text(encoding="utf-8") for path in links]
    assert [found for text in commands for found in FORBIDDEN_FLAGS.findall(text)] == []


@pytest.mark.parametrize(
    ("flags", "is_forbidden"),
    [
        ("cc -O3 -ffast-math -c x.c", True),
        ("cc -Ofast", True),
        ("cc -ffp-contract=fast x.c", True),
        ("cc -march=native x.c", True),
        ("cc -fopenmp=libomp x.c", True),
        ("cc -O3 -ffp-contract=off -march=armv8-a+crc -fno-math-errno x.c", False),
        ("cc -DNAME=-Ofast x.c", False),
    ],
)
def test_the_rule_on_flags_sees_what_it_should(flags: str, is_forbidden: bool) -> None:
    """The rule itself can fail."""
    assert bool(FORBIDDEN_FLAGS.search(flags)) == is_forbidden


@needs_module
def test_subnormal_numbers_survive_the_import_of_the_module() -> None:
    """A library linked with -ffast-math makes them zero in the whole process."""
    code = (
        "import numpy as np, flightos.kernels as kernels; kernels.backend(); import flightos._fos;"
        "print(float(np.float32(1e-40) * np.float32(0.5)), 1e-320 * 0.5)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(float(np.float32(5e-41))), "5e-321"]
