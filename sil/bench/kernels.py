"""Every C kernel against its peer, and against the memory limit of the same run: one part for each area."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sil.bench.registry import Options, measure_module
from sil.bench.rows import Row

PARTS: Final = ("kernels_protection", "kernels_imaging", "kernels_geometry", "kernels_codecs")


def measure(options: Options) -> Iterator[Row]:
    """The rows of all parts, as they come; a part that breaks costs only its own rows."""
    for part in PARTS:
        yield from measure_module(part, options)
