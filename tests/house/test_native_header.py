"""The C header and what Python is told of it say the same, and every public function has a C test."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from pycparser import c_ast, c_generator, c_parser

NATIVE: Final = Path(__file__).resolve().parents[2] / "native"
HEADER: Final = NATIVE / "include" / "flightos_kernels.h"
CDEF: Final = NATIVE / "cffi" / "kernels.cdef.h"
WHOLE_NUMBERS: Final = ("size_t", *(f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)))
COMPILER: Final = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler to preprocess the header with")


def preprocessed(source: str, *folders: Path) -> str:
    """C text without comments, directives and system headers."""
    command = [str(COMPILER), "-E", "-P", "-nostdinc", *(f"-I{folder}" for folder in folders), "-x", "c", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def header_text(folder: Path) -> str:
    """The header with all its parts; system headers are empty files in a folder."""
    for name in ("stddef.h", "stdint.h"):
        (folder / name).touch()
    return preprocessed(HEADER.read_text(encoding="utf-8"), folder, HEADER.parent)


def cdef_text() -> str:
    """What cffi reads, without its dots for values that the compiler is to find."""
    return re.sub(r",\s*\.\.\.", "", preprocessed(CDEF.read_text(encoding="utf-8")))


def declarations(source: str) -> dict[str, str]:
    """Each function and type of C text by its name, written out in one form; enumerators without their values."""
    typedefs = "".join(f"typedef int {name};\n" for name in WHOLE_NUMBERS)
    generator = c_generator.CGenerator()
    found = {}
    for node in c_parser.CParser().parse(typedefs + source).ext:
        if node.name in WHOLE_NUMBERS:
            continue
        if isinstance(node.type.type, c_ast.Enum):
            for enumerator in node.type.type.values.enumerators:
                enumerator.value = None
        assert node.name not in found, f"{node.name} is declared twice"
        found[node.name] = generator.visit(node)
    return found


def public_functions(source: str) -> list[str]:
    """Names of the functions that C text declares."""
    return [name for name, text in declarations(source).items() if not text.startswith("typedef")]


@needs_compiler
def test_python_is_told_exactly_what_the_header_declares(tmp_path: Path) -> None:
    """Same functions with the same arguments, same structures and statuses in the same order."""
    header, cdef = declarations(header_text(tmp_path)), declarations(cdef_text())
    assert len(public_functions(header_text(tmp_path))) > 50
    assert cdef == header


@needs_compiler
@pytest.mark.parametrize(
    "other",
    [
        "fos_status_t fos_f(const uint8_t *a, size_t n);",  # const
        "fos_status_t fos_f(uint8_t *a, uint32_t n);",  # width
        "fos_status_t fos_f(size_t n, uint8_t *a);",  # order
        "int32_t fos_f(uint8_t *a, size_t n);",  # result
        "fos_status_t fos_f(uint8_t *a, size_t m);",  # name of an argument
    ],
)
def test_the_comparison_sees_every_difference(other: str) -> None:
    """The rule itself can fail."""
    status = "typedef enum { FOS_OK } fos_status_t;\n"
    first = declarations(status + "fos_status_t fos_f(uint8_t *a, size_t n);")
    assert declarations(status + other) != first


@needs_compiler
def test_every_public_function_is_called_by_a_c_test(tmp_path: Path) -> None:
    """Comments do not count."""
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted((NATIVE / "tests").glob("test_*.c")))
    called = set(re.findall(r"\b(fos_\w+)\s*\(", re.sub(r"/\*.*?\*/", "", tests, flags=re.DOTALL)))
    assert [name for name in public_functions(header_text(tmp_path)) if name not in called] == []
