"""Makes the participants of a run from its plan: hosts with their devices, and the world."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ids import OPERATOR_ID, is_satellite
from flightos.core.ports import NodeBooted, TableUploaded
from flightos.drivers.shaper import LinkShaper
from flightos.ground import acceptance_interface
from flightos.ground.acceptance import AcceptanceService
from flightos.host.host import Devices, NodeHost
from flightos.host.keeping import InputLog
from flightos.host.message import Message
from flightos.host.relive import relive
from flightos.host.work import Workers
from flightos.node.node import Node
from flightos.node.recorder import Recorder
from sil.plan import KernelHang, RunPlan


class Start(NamedTuple):
    """When a life of a node begins, and which one it is."""

    boot_count: int = 0
    t_ns: int = 0


class SceneImager:
    """The imager of a run: reads out the tiles of the plan's scene."""

    def __init__(self, tiles: Sequence[bytes]) -> None:
        self._tiles = tiles

    def capture(self, observation_id: int, tile_index: int) -> bytes | None:
        """The encoded tile, or None when the scene has no such tile."""
        return self._tiles[tile_index] if 0 <= tile_index < len(self._tiles) else None


def make_node(configuration: NodeConfiguration) -> Node:
    """A node with the services of its role; mission control has the acceptor of products as well."""
    if configuration.role != Role.GROUND:
        return Node(configuration)
    return Node(configuration, None, (AcceptanceService(configuration),), (acceptance_interface.DICTIONARY,))


def make_host(
    plan: RunPlan,
    configuration: NodeConfiguration,
    workers: Workers,
    log_folder: Path | None,
    start: Start,
) -> NodeHost:
    """A host of one life of a node, its first records posted.

    A first life gets the boot and the tables uploaded before launch; a later one is brought back to where the one
    before ended (snapshot, then the rest of its input log, mute) and told so.
    """
    node_id = configuration.node_id
    node = make_node(configuration)
    if start.boot_count > 0:
        assert log_folder is not None, "a restart needs the log of the life before"
        relive(node, log_folder, start.boot_count - 1)
    log = None
    if log_folder is not None:
        log = InputLog(log_folder, configuration, start.boot_count, start.boot_count > 0)
    node.recorder = Recorder(node_id, start.boot_count, log)
    host = NodeHost(node, _devices(plan, configuration, workers, start), log, start.t_ns)
    host.post(Message(start.t_ns, 0, 0, node_id, NodeBooted(start.boot_count, start.boot_count > 0)))
    if start.boot_count == 0:
        for sequence, (name, content) in enumerate(plan.tables.get(node_id, ())):
            host.post(Message(start.t_ns, OPERATOR_ID, sequence, node_id, TableUploaded(name, content)))
    return host


def _devices(plan: RunPlan, configuration: NodeConfiguration, workers: Workers, start: Start) -> Devices:
    hangs = [
        fault.at_ns
        for fault in plan.faults
        if isinstance(fault, KernelHang)
        and fault.node_id == configuration.node_id
        and fault.at_ns >= start.t_ns
    ]
    return Devices(
        workers=workers,
        imager=SceneImager(plan.tiles if configuration.has_imager else ()),
        shaper_to=Shapers(plan, configuration, start.boot_count).to,
        port_latency_ns=plan.port_latency_ns,
        hang_at_ns=hangs,
    )


class Shapers:
    """Makes the shaper of each link of one node."""

    def __init__(self, plan: RunPlan, configuration: NodeConfiguration, boot_count: int) -> None:
        self._plan = plan
        self._node_id = configuration.node_id
        self._boot_count = boot_count
        self._outages = plan.outages()
        self._rates_bps = {
            peer_id: terminal.rate_bps
            for terminal in configuration.terminals
            for peer_id in terminal.peer_ids
        }

    def to(self, peer_id: int) -> LinkShaper:
        """The shaper of the link to a peer; after a restart it draws from the stream of the new boot."""
        tape, links, rate_bps = self._plan.tape, self._plan.links, self._rates_bps[peer_id]
        if not (is_satellite(self._node_id) or is_satellite(peer_id)):
            return LinkShaper(rate_bps, 0, 0, lambda t_ns: links.wire_latency_ns, lambda t_ns: True)
        pair = (min(self._node_id, peer_id), max(self._node_id, peer_id))
        edge = tape.edge_index(*pair)
        outages = self._outages.get(pair, [])
        is_visible = partial(tape.is_visible, edge)

        def is_up(t_ns: int) -> bool:
            return is_visible(t_ns) and not any(start <= t_ns < stop for start, stop in outages)

        return LinkShaper(
            rate_bps,
            links.modem_latency_ns,
            links.queue_bytes_max,
            partial(tape.light_time_ns, edge),
            is_up if outages else is_visible,
            links.loss_threshold,
            Random(f"{self._plan.seed}/{self._node_id}/loss-{peer_id}/{self._boot_count}"),
        )
