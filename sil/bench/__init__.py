"""Measures this project against the figures it sets itself: `flightos bench`.

One bench, one file with a `measure(options) -> Iterator[Row]`, one line in `registry.BENCHMARKS`. To add one (a
kernel's, say), write the file and the line; a bench whose peer library is missing gives a row that says so. A bench
reports and never fails: a goal that is not met is a row like any other.
"""

from sil.bench.registry import BENCHMARKS, Options, measure

__all__ = ["BENCHMARKS", "Options", "measure"]
