"""CRC faces against published values and a second implementation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fastcrc
import pytest

from flightos.kernels import backend, crc

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/kernels/crc.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["crc16"], ids=lambda vector: vector["crc"])
def test_crc16_published_values(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["data_hex"])
    assert crc.crc16(data) == crc.crc16_reference(data) == int(vector["crc"], 16)


@pytest.mark.parametrize("vector", VECTORS["crc32c"], ids=lambda vector: vector["crc"])
def test_crc32c_published_values(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["data_hex"])
    assert crc.crc32c(data) == crc.crc32c_reference(data) == int(vector["crc"], 16)


@pytest.mark.parametrize("byte_count", [1, 7, 8, 9, 63, 64, 65, 1024, 65_536])
def test_agrees_with_another_library(byte_count: int) -> None:
    data = bytes((7 * index + index // 251) % 256 for index in range(byte_count))
    assert crc.crc16(data) == fastcrc.crc16.ibm_3740(data)
    assert crc.crc32c(data) == fastcrc.crc32.iscsi(data)


def test_every_kind_of_buffer_gives_the_same() -> None:
    data = b"123456789"
    for buffer in (bytearray(data), memoryview(data), memoryview(b"x" + data)[1:]):
        assert crc.crc16(buffer) == 0x29B1
        assert crc.crc32c(buffer) == 0xE3069283
    wide = memoryview(bytes(16)).cast("I")
    assert crc.crc32c(wide) == crc.crc32c_reference(wide) == crc.crc32c(bytes(16))


def test_refuses_what_is_no_buffer() -> None:
    with pytest.raises(TypeError):
        crc.crc32c("123456789")  # type: ignore[arg-type]
    if backend() == "c":
        with pytest.raises(BufferError, match="contiguous"):
            crc.crc32c(memoryview(b"12345678")[::2])


@pytest.mark.parametrize("kernels", ["c", "numpy"])
def test_wire_code_loads_no_numpy(kernels: str) -> None:
    """A node process checks frames; NumPy in it would cost 20 MiB. The fallback gives the same values."""
    if kernels == "c" and backend() != "c":
        pytest.skip("the C module is not built")
    code = (
        "import sys; from flightos.kernels import backend, crc\n"
        "print(backend(), crc.crc16(b'123456789'), crc.crc32c(b'123456789'), 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FLIGHTOS_KERNELS": kernels},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [kernels, str(0x29B1), str(0xE3069283), "False"]


def test_unknown_kernels_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import flightos"],
        env={**os.environ, "FLIGHTOS_KERNELS": "fortran"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "'c' or 'numpy'" in done.stderr
