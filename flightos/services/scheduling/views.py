"""What satellites tell each other of themselves.

A view is emitted when something a placement would notice has changed, else every REFRESH_NS; each node passes a newer
view on to its neighbours but the one it came from, up to the hop limit. While a node computes, its backlog shrinks at
its rate; receivers reckon that themselves, so that a busy node need not talk every second.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import is_satellite
from flightos.core.records import Record
from flightos.core.time import NS_PER_S
from flightos.services.health.interface import Mode, PeerSeen
from flightos.services.links.interface import HelloReceived, LinkClosed, LinkOpened, OfferGossip
from flightos.services.scheduling.codec import decode_gossip, encode_gossip
from flightos.services.scheduling.events import BODY_UNDECODABLE, TABLE_FULL
from flightos.services.scheduling.interface import NodeView
from flightos.services.scheduling.state import (
    LINK_COUNT_MAX,
    VIEW_COUNT_MAX,
    Link,
    SchedulingState,
    ViewEntry,
)
from flightos.services.telemetry.interface import ReportEvent

REFRESH_NS: Final = 10 * NS_PER_S
"""A view that arrives at least this often tells that its node lives; well below the limit of its age."""
ENERGY_QUANTUM_MJ: Final = 10_000_000
"""Half of a shipped task. A box in sunlight gains 1 kJ in two seconds: finer steps would gossip all day."""
HEAT_QUANTUM_S: Final = 10
QUEUE_QUANTUM_TERA_OPS: Final = 100
FORECAST_AGE_NS_MAX: Final = 5 * NS_PER_S
GOSSIP_VIEW_COUNT_MAX: Final = 64
"""Views in one hello, about 2 KB; the rest waits a second."""


def own_backlog_tera_ops(state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int) -> int:
    """What the own box still has to compute, as far as scheduling knows."""
    done = 0
    if state.compute_running_count:
        elapsed_ns = now_obt_ns - state.compute_tera_ops_obt_ns
        done = elapsed_ns * configuration.compute.rate_tops // NS_PER_S
    return max(0, state.compute_tera_ops - done) + state.reserved_tera_ops


def accepts_tasks(state: SchedulingState, now_obt_ns: int) -> bool:
    """True when the own box may start tasks now."""
    forecast = state.forecast
    return (
        forecast is not None
        and state.mode is not Mode.SAFE
        and forecast.charge_ok
        and forecast.heat_ok
        and now_obt_ns - forecast.made_obt_ns <= FORECAST_AGE_NS_MAX
    )


def accepts_foreign_tasks(state: SchedulingState, now_obt_ns: int) -> bool:
    """True when other owners may send tasks: not while energy is saved for the own ones through an eclipse."""
    return state.mode is Mode.NOMINAL and accepts_tasks(state, now_obt_ns)


def make_own_view(state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int) -> NodeView:
    """The own view of this second."""
    forecast = state.forecast
    backlog = own_backlog_tera_ops(state, configuration, now_obt_ns)
    energy_mj = forecast.energy_available_mj if forecast is not None else 0
    heat_seconds = forecast.heat_seconds if forecast is not None else 0
    return NodeView(
        node_id=configuration.node_id,
        boot_count=state.boot_count,
        version=now_obt_ns // NS_PER_S,
        accepts=accepts_foreign_tasks(state, now_obt_ns),
        mode=int(state.mode),
        rate_tops=configuration.compute.rate_tops,
        queued_tera_ops=-(-backlog // QUEUE_QUANTUM_TERA_OPS) * QUEUE_QUANTUM_TERA_OPS,
        energy_available_mj=max(0, energy_mj) // ENERGY_QUANTUM_MJ * ENERGY_QUANTUM_MJ,
        heat_seconds=max(0, heat_seconds) // HEAT_QUANTUM_S * HEAT_QUANTUM_S,
        hop_count=0,
        memory_boot_count=state.memory_boot_count,
    )


def _is_worth_telling(state: SchedulingState, now_obt_ns: int) -> bool:
    """True when the last emitted view is old, or wrong by more than a quantum."""
    told = state.own_view
    if told is None or state.load_changed or now_obt_ns // NS_PER_S - told.version >= REFRESH_NS // NS_PER_S:
        return True
    if told.accepts is not accepts_foreign_tasks(state, now_obt_ns) or told.mode != state.mode:
        return True
    forecast = state.forecast
    if forecast is None:
        return False
    # The told values are rounded down: one quantum of slack on both sides keeps a value at an edge quiet.
    energy_step_mj = forecast.energy_available_mj - told.energy_available_mj
    heat_step_s = forecast.heat_seconds - told.heat_seconds
    return not (
        -ENERGY_QUANTUM_MJ < energy_step_mj < 2 * ENERGY_QUANTUM_MJ
        and -HEAT_QUANTUM_S < heat_step_s < 2 * HEAT_QUANTUM_S
    )


def gossip(
    state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int, out: list[Record]
) -> None:
    """Once a second: what is new goes to each neighbour."""
    own: list[NodeView] = []
    if _is_worth_telling(state, now_obt_ns):
        state.own_view = make_own_view(state, configuration, now_obt_ns)
        state.load_changed = False
        own.append(state.own_view)
    relayed = state.relayed_ids[:GOSSIP_VIEW_COUNT_MAX]
    if not own and not relayed:
        return
    state.relayed_ids = state.relayed_ids[GOSSIP_VIEW_COUNT_MAX:]
    entries = [state.views[node_id] for node_id in relayed if node_id in state.views]
    for peer_id in state.links:
        views = own + [entry.view for entry in entries if entry.from_peer_id != peer_id]
        if views:
            state.counters.gossip_sent_count += 1
            out.append(OfferGossip(peer_id, encode_gossip(views)))


def open_link(
    state: SchedulingState,
    configuration: NodeConfiguration,
    record: LinkOpened,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A neighbour satellite is there: it gets everything known, since it may have missed all of it."""
    if not is_satellite(record.peer_id):
        return
    if record.peer_id not in state.links and len(state.links) >= LINK_COUNT_MAX:
        report_full(state, "links", out)
        return
    state.links[record.peer_id] = Link(record.rate_bps)
    state.views_changed = True
    views = [make_own_view(state, configuration, now_obt_ns)]
    for entry in state.views.values():
        view = entry.view
        if view.node_id != record.peer_id and view.hop_count < configuration.scheduling.hop_count_max:
            views.append(view)
    state.counters.gossip_sent_count += 1
    out.append(OfferGossip(record.peer_id, encode_gossip(views[:GOSSIP_VIEW_COUNT_MAX])))


def close_link(state: SchedulingState, record: LinkClosed) -> None:
    """A neighbour is out of reach for now."""
    state.links.pop(record.peer_id, None)


def hear(
    state: SchedulingState,
    configuration: NodeConfiguration,
    record: HelloReceived,
    now_obt_ns: int,
    out: list[Record],
) -> list[NodeView]:
    """Take in what a neighbour gossips; gives the views of nodes whose memory began anew."""
    views = decode_gossip(record.gossip)
    if views is None:
        state.counters.bad_body_count += 1
        out.append(ReportEvent(BODY_UNDECODABLE.id, (record.peer_id, "gossip")))
        return []
    forgetful: list[NodeView] = []
    state.counters.gossip_received_count += 1
    hop_count_max = configuration.scheduling.hop_count_max
    for told in views:
        hop_count = told.hop_count + 1
        if told.node_id == configuration.node_id or hop_count > hop_count_max:
            continue
        entry = state.views.get(told.node_id)
        if entry is not None and (told.boot_count, told.version) <= (
            entry.view.boot_count,
            entry.view.version,
        ):
            continue
        view = msgspec.structs.replace(told, hop_count=hop_count)
        if entry is None:
            if len(state.views) >= VIEW_COUNT_MAX:
                report_full(state, "views", out)
                continue
            state.views[view.node_id] = ViewEntry(view, now_obt_ns, record.peer_id)
        else:
            if view.memory_boot_count > entry.view.memory_boot_count:
                forgetful.append(view)
            _renew(entry, view, now_obt_ns, record.peer_id)
        state.views_changed = True
        if hop_count < hop_count_max and view.node_id not in state.relayed_ids:
            state.relayed_ids.append(view.node_id)
        out.append(PeerSeen(view.node_id, view.boot_count, hop_count))
    return forgetful


def _renew(entry: ViewEntry, view: NodeView, now_obt_ns: int, from_peer_id: int) -> None:
    """Replace a view; what was placed too lately to be in it stays reserved.

    An assignment needs about a second per hop at worst to arrive, and the view as long to come back.
    """
    unseen_ns = (2 * view.hop_count + 2) * NS_PER_S
    entry.reservations = [
        reservation for reservation in entry.reservations if now_obt_ns - reservation[0] < unseen_ns
    ]
    entry.view = view
    entry.received_obt_ns = now_obt_ns
    entry.from_peer_id = from_peer_id
    entry.is_declared = False


def report_full(state: SchedulingState, table: str, out: list[Record]) -> None:
    """A table has no room: counted, and an event."""
    state.counters.table_full_count += 1
    out.append(ReportEvent(TABLE_FULL.id, (table,)))
