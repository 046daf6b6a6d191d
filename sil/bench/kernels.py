"""Every C kernel against its peer, and against the limits of this machine in the same run: one part for each area."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flightos.kernels import backend
from sil.bench import machine_limits
from sil.bench.registry import Options, measure_module
from sil.bench.rows import Row, skipped

PARTS: Final = (
    "kernels_protection",
    "kernels_integer",
    "kernels_imaging",
    "kernels_geometry",
    "kernels_range_doppler",
    "kernels_codecs",
    "kernels_workers",
)


def measure(options: Options) -> Iterator[Row]:
    """The rows of all parts, as they come; a part that breaks costs only its own rows.

    Without the C module there is one row that says so: the references in Python would take hours.
    """
    if backend() != "c":
        yield skipped("kernels", "", "the C kernels are not in use here (flightos doctor says why)")
        return
    yield from machine_limits.rows(3 if options.is_quick else 9)
    for part in PARTS:
        yield from measure_module(part, options)
