"""Earliest finish over the candidates; among nearly equal ones the cheapest in energy.

The finish at a candidate is transfer there and back, its backlog, cooling if it would get too hot, and the task. A
candidate without the energy for its backlog and the task is out. Within one second of the best finish the price
decides: the share of a candidate's spendable energy that backlog and task take, as in the barrier cost of Equinox
(arXiv 2604.19958), which grows as the energy goes to nothing. Then the lower node id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS, NS_PER_S

HOP_NS: Final = 50 * NS_PER_MS
"""Light time of a few thousand km, modem latency and queueing of one hop."""
TIE_NS: Final = NS_PER_S
"""Finishes within this time of each other are taken as equal: the views are not more exact."""
PRICE_FULL: Final = 1_000_000


class Demand(msgspec.Struct, frozen=True):
    """What a task asks of a satellite."""

    tera_ops: int
    input_bytes: int
    result_bytes: int
    deadline_obt_ns: int
    avoided_node_id: int


class Candidate(msgspec.Struct, frozen=True):
    """What a satellite offers; backlog as of now, reservations included."""

    node_id: int
    hop_count: int
    accepts: bool
    rate_tops: int
    queued_tera_ops: int
    energy_available_mj: int
    heat_seconds: int


class Choice(msgspec.Struct, frozen=True):
    """A satellite and when the result should be back."""

    node_id: int
    expected_finish_obt_ns: int


def choose(
    demand: Demand, candidates: Sequence[Candidate], mw_per_tops: int, link_rate_bps: int, now_obt_ns: int
) -> Choice | Refusal:
    """The candidate with the earliest finish; NO_CAPACITY when none can, DEADLINE_INFEASIBLE when all are late.

    `link_rate_bps` is that of the slowest open link, 0 when none is open: then only the own node (hop count 0) counts.
    A node that failed with the task last is taken only when there is no other.
    """
    refusal = Refusal.NO_CAPACITY
    best: tuple[bool, int, int, int, int] | None = None
    earliest_ns: dict[bool, int] = {}
    offers: list[tuple[bool, int, int, int]] = []
    for candidate in candidates:
        load_mj = (candidate.queued_tera_ops + demand.tera_ops) * mw_per_tops
        if not candidate.accepts or load_mj > candidate.energy_available_mj:
            continue
        if candidate.hop_count > 0 and link_rate_bps <= 0:
            continue
        finish_ns = now_obt_ns + duration_ns(demand, candidate, link_rate_bps)
        if finish_ns > demand.deadline_obt_ns:
            refusal = Refusal.DEADLINE_INFEASIBLE
            continue
        is_avoided = candidate.node_id == demand.avoided_node_id
        price = PRICE_FULL * load_mj // max(1, candidate.energy_available_mj)
        offers.append((is_avoided, finish_ns, price, candidate.node_id))
        earliest_ns[is_avoided] = min(finish_ns, earliest_ns.get(is_avoided, finish_ns))
    for is_avoided, finish_ns, price, node_id in offers:
        lateness = (finish_ns - earliest_ns[is_avoided]) // TIE_NS
        key = (is_avoided, lateness, price, node_id, finish_ns)
        if best is None or key < best:
            best = key
    return refusal if best is None else Choice(best[3], best[4])


def duration_ns(demand: Demand, candidate: Candidate, link_rate_bps: int) -> int:
    """From placing to the result: transfers, backlog, cooling, the task itself."""
    transfer_ns = 0
    if candidate.hop_count > 0:
        moved_bits = 8 * (demand.input_bytes + demand.result_bytes)
        transfer_ns = candidate.hop_count * (2 * HOP_NS + moved_bits * NS_PER_S // link_rate_bps)
    computing_ns = (candidate.queued_tera_ops + demand.tera_ops) * NS_PER_S // candidate.rate_tops
    # A box at its limit cools about as fast as it heated up: each second too many costs another one.
    cooling_ns = max(0, computing_ns - candidate.heat_seconds * NS_PER_S)
    return transfer_ns + computing_ns + cooling_ns
