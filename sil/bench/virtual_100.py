"""A string of a hundred satellites in virtual time."""

from __future__ import annotations

from collections.abc import Iterator

from sil.bench.flights import fly_virtual, plan_of, scratch, virtual_detail
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import median

QUICK_S = 60


def measure(options: Options) -> Iterator[Row]:
    """virtual_100."""
    plan = plan_of("string_of_hundred", QUICK_S if options.is_quick else None)
    with scratch() as folder:
        flights = [fly_virtual(plan, folder / str(index)) for index in range(options.rounds(3))]
        yield Row(
            name="virtual_100",
            value=median([flown.sim_s / flown.wall_s for flown in flights]),
            unit="mission s / wall s",
            goal=">= 100",
            detail=virtual_detail(flights),
        )
