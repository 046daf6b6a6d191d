"""The rows of a kernel: its rate with the ratio to its peer, and the share of what this machine can do at most.

A goal for each of the two makes two rows. Rates are of the kernel's work in CPU seconds of one thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from flightos.kernels import isa_name
from sil.bench.machine_limits import Limits, cpu_s_beside
from sil.bench.rows import Row, missing_peer, skipped
from sil.bench.timing import GIGA, Action

SEED: Final = 11
MIB: Final = 1 << 20

Peers = dict[str, tuple[Action, str | None]]
"""By name, what the peer does and the goal for the ratio to it, or None."""


@dataclass(frozen=True)
class Work:
    """What a kernel does in one call: the amount that its rate counts, in which unit, and what it costs at least.

    `at_least` gives for each limit of `Limits` how much of it the work needs: bytes, or operations.
    """

    amount: float
    unit: str = "GB/s"
    scale: float = GIGA
    at_least: Mapping[str, float] = field(default_factory=dict)

    def least_s(self, limits: Limits) -> tuple[str, float] | None:
        """The binding limit by name, and the seconds that the work takes there; None where none is known.

        Memory and arithmetic may go on at once, but multiplications of both precisions share their units.
        """
        known = {
            name: need / limits.of(name) / GIGA for name, need in self.at_least.items() if limits.of(name)
        }
        floats = [name for name in ("f32", "f64") if name in known]
        if len(floats) == 2:
            known["f32+f64"] = known.pop("f32") + known.pop("f64")
        if not known:
            return None
        name = max(known, key=lambda one: known[one])
        return name, known[name]


def kernel_row(
    name: str,
    work: Work,
    taken: Mapping[str, float],
    limits: Limits,
    goal: str | None = None,
    bound: str = "",
    **detail: float | str,
) -> Row:
    """A row from the CPU seconds of `own` and, where there is one, a peer; the goal is for the ratio to the peer.

    The share of the limit is the least time over the time taken. `bound` says what else is known to keep the kernel
    from being faster.
    """
    peer = next((key for key in taken if key != "own"), None)
    known: dict[str, float | int | str | bool | None] = {"isa": isa_name()}
    least = work.least_s(limits)
    if least is not None:
        known |= {"limit": least[0], "limit_ratio": least[1] / taken["own"]}
        known |= {f"limit_{one}": limits.of(one) for one in work.at_least}
    known |= {f"{key}_ms": seconds * 1e3 for key, seconds in taken.items()}
    if bound:
        known["bound"] = bound
    return Row(
        name=name,
        value=work.amount / taken["own"] / work.scale,
        unit=work.unit,
        peer=peer,
        ratio=taken[peer] / taken["own"] if peer else None,
        goal=goal if peer else None,
        detail={**known, **detail},
    )


def share_row(row: Row, goal: str, bound: str = "") -> Row:
    """The share of its limit that a kernel reaches, as a row with a goal of its own."""
    share, limit = row.detail.get("limit_ratio"), row.detail.get("limit")
    if not isinstance(share, float):
        return skipped(f"{row.name}_of_limit", "of limit", "the limit is not known here", goal=goal)
    detail: dict[str, float | int | str | bool | None] = {"limit": limit}
    if bound:
        detail["bound"] = bound
    return Row(name=f"{row.name}_of_{limit}", value=share, unit=f"of {limit}", goal=goal, detail=detail)


def rate_row(row: Row, goal: str) -> Row:
    """The rate of a kernel, as a row with a goal of its own."""
    return Row(name=f"{row.name}_rate", value=row.value, unit=row.unit, goal=goal)


def with_peer(name: str, module: str, goal: str | None, unit: str = "GB/s") -> tuple[Any, list[Row]]:
    """The peer's module, or None and the row that says why there is no ratio to it."""
    missing = missing_peer(module)
    if missing is not None:
        return None, [skipped(name, unit, missing, module, goal)]
    return import_module(module), []


def rows_against(
    name: str,
    work: Work,
    own: Action,
    peers: Peers,
    limits: Limits,
    rounds: int,
    **detail: float | str,
) -> Iterator[Row]:
    """A row for each peer with its goal, all timed in the same rounds; a further peer's row is named after it.

    Without peers, one row without a ratio.
    """
    contenders = {"own": own, **{peer: action for peer, (action, _) in peers.items()}}
    taken, limits = cpu_s_beside(limits, work.at_least, contenders, rounds)
    if not peers:
        yield kernel_row(name, work, taken, limits, None, "", **detail)
    for index, (peer, (_, goal)) in enumerate(peers.items()):
        title = name if index == 0 else f"{name}_vs_{peer.replace(' ', '_').replace('-', '_')}"
        yield kernel_row(title, work, {"own": taken["own"], peer: taken[peer]}, limits, goal, "", **detail)
