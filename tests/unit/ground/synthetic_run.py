"""A run folder made without a run: real packets of the real dictionary through the real receiver.

Twelve satellites fly one orbit round a circle, work, heat up and cool down, open and close links; the figures are
made up, the formats are not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from flightos.core.dictionary import ServiceDictionary
from flightos.core.ids import content_id
from flightos.core.ports import AcceptProduct
from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE
from flightos.ground.receive import Receiver
from flightos.node.dictionary import service_dictionaries
from flightos.node.dictionary_export import dictionary_document
from flightos.wire.layout import Value, layout_of
from flightos.wire.packet import TIME_REFERENCE_TAI, TelemetryPacket, encode_tm
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import cut_tiles, plant_burn, read_scene, tile_image
from tests.unit.apps.tile_examples import make_tile, walk

EPOCH_TAI_NS: Final = 2_150_000_000_000_000_000
NS: Final = 1_000_000_000


def document() -> dict[str, Any]:
    """The whole dictionary with the ground's own service, as exported."""
    return dictionary_document(service_dictionaries([ACCEPTANCE]))


class Spacecraft:
    """Makes packets of one spacecraft with running sequence counts."""

    def __init__(self, spacecraft_id: int, dictionaries: Sequence[ServiceDictionary] = ()) -> None:
        self.id = spacecraft_id
        self.has_time = True
        """False: the clock has not been set; times count from its start."""
        self._services = {d.service: d for d in dictionaries or service_dictionaries([ACCEPTANCE])}
        self._events = {event.name: (d, event) for d in self._services.values() for event in d.events}
        self._sequence: dict[int, int] = {}

    def housekeeping(self, service: str, t_s: float, **values: Value) -> bytes:
        """TM(3,25); what is not given is zero."""
        dictionary = self._services[service]
        structure = dictionary.housekeeping
        packed = layout_of(structure.fields).pack([values.get(f.name, 0) for f in structure.fields])
        data = structure.structure_id.to_bytes(2, "big") + packed
        return self._packet(dictionary.apid, 3, 25, t_s, data)

    def event(self, name: str, t_s: float, **values: Value) -> bytes:
        """TM(5,severity)."""
        dictionary, event = self._events[name]
        zero: dict[str, Value] = {"text": "", "content_id": bytes(16)}
        packed = layout_of(event.fields).pack(
            [values.get(field.name, zero.get(field.type, 0)) for field in event.fields]
        )
        data = event.id.to_bytes(2, "big") + packed
        return self._packet(dictionary.apid, 5, int(event.severity), t_s, data)

    def verification(
        self, stage: int, t_s: float, command_id: int, sequence_count: int, refusal: int = 0
    ) -> bytes:
        """TM(1,stage), with the refusal where it is a failure."""
        data = (0x1900).to_bytes(2, "big") + (0xC000 | sequence_count).to_bytes(2, "big")
        data += command_id.to_bytes(2, "big")
        if stage in (2, 4, 8):
            data += refusal.to_bytes(2, "big")
        return self._packet(0x100 | command_id >> 8, 1, stage, t_s, data, destination_id=2000)

    def _packet(
        self, apid: int, service: int, subtype: int, t_s: float, data: bytes, destination_id: int = 1000
    ) -> bytes:
        sequence = self._sequence.get(apid, 0)
        self._sequence[apid] = (sequence + 1) % (1 << 14)
        tai_ns = (EPOCH_TAI_NS if self.has_time else 0) + round(t_s * NS)
        reference = TIME_REFERENCE_TAI if self.has_time else 0
        return encode_tm(
            TelemetryPacket(
                apid, sequence, service, subtype, sequence, destination_id, tai_ns, self.id, data, reference
            )
        )


def write_run(
    folder: Path,
    duration_s: int = 1800,
    step_s: int = 5,
    node_count: int = 12,
    silent_id: int = 0,
    silent_from_s: int = 0,
) -> Path:
    """A whole run folder, small and quick to make: telemetry, events, products, geometry, scene, summary."""
    receiver = Receiver(folder, document(), EPOCH_TAI_NS, threaded=False)
    dictionaries = service_dictionaries([ACCEPTANCE])
    crafts = [Spacecraft(node, dictionaries) for node in range(1, node_count + 1)]
    for t in range(0, duration_s, step_s):
        for craft in crafts:
            if craft.id == silent_id and t >= silent_from_s:
                continue
            packets = list(_second(craft, t))
            receiver.umbilical(b"".join(packets), t * NS)
            if t % 30 == 0 and craft.id % 3 == 0:
                receiver.downlink(craft.id, packets[0], (t + 5) * NS)
    tasks = _work(receiver, crafts, duration_s)
    _talk(receiver, crafts, duration_s)
    sensed, downlinked = _products(receiver, duration_s)
    receiver.close()
    _documents(folder, duration_s, node_count, tasks, sensed, downlinked)
    return folder


def _second(craft: Spacecraft, t: int) -> Iterator[bytes]:
    phase = 2 * math.pi * (t / 5677 + craft.id / 12)
    sunlit = max(0.0, min(1.0, 0.6 + 2 * math.sin(phase)))
    soc = 0.86 - 0.05 * math.cos(phase) - t * 1e-5 * (craft.id % 3)
    heat = 300 + 28 * math.sin(t / 700 + craft.id) ** 2
    busy = int(math.sin(t / 160 + craft.id) > 0.2)
    yield craft.housekeeping(
        "resources",
        t,
        soc_ratio=soc,
        temperature_k=heat,
        sunlit_ratio=sunlit,
        array_mw=int(700_000 * sunlit),
        load_mw=120_000 + busy * 80_000,
        charge_ok=soc > 0.7,
        heat_ok=heat < 333,
    )
    queue = max(0, int(4 * math.sin(t / 300 + craft.id)))
    yield craft.housekeeping(
        "compute", t, running_count=busy, queued_count=queue, queued_tera_ops=queue * 100_000
    )
    yield craft.housekeeping("links", t, links_open=2, queue_bytes=queue * 4000)
    yield craft.housekeeping("health", t, mode=2 if sunlit > 0.1 else 1)


def _work(receiver: Receiver, crafts: list[Spacecraft], duration_s: int) -> int:
    count = 0
    for observation in range(16):
        for index in range(4):
            craft = crafts[(observation * 5 + index * 3) % len(crafts)]
            start = 60 + observation * (duration_s - 600) / 16 + index * 40
            fields: dict[str, Value] = {
                "task_id": observation * 256 + index,
                "attempt": 1,
                "step": "water_index",
            }
            receiver.umbilical(craft.event("EXECUTION_STARTED", start, **fields), round(start * NS))
            stop = start + 60 + 10 * (craft.id % 7)
            name = "EXECUTION_FAILED" if (observation, index) == (5, 2) else "EXECUTION_FINISHED"
            receiver.umbilical(craft.event(name, stop, **fields), round(stop * NS))
            count += 1
    receiver.umbilical(crafts[4].event("MODE_CHANGED", 700.0, previous=2, mode=1, trigger=1), 700 * NS)
    receiver.umbilical(crafts[2].event("PEER_DECLARED", 900.0, peer_id=4, silent_s=45), 900 * NS)
    return count


def _talk(receiver: Receiver, crafts: list[Spacecraft], duration_s: int) -> None:
    for craft in crafts:
        peer = craft.id % len(crafts) + 1
        receiver.umbilical(craft.event("LINK_OPENED", 16.0, peer_id=peer, rate_bps=10**11), 16 * NS)
        if craft.id == 6:
            receiver.umbilical(craft.event("LINK_LOST", 800.0, peer_id=peer), 800 * NS)
            receiver.umbilical(craft.event("LINK_OPENED", 1000.0, peer_id=peer, rate_bps=10**11), 1000 * NS)
    for node, start, stop in ((1, 100, 500), (2, 400, 900), (3, 800, 1300)):
        if stop < duration_s:
            receiver.umbilical(crafts[node - 1].event("LINK_OPENED", start, peer_id=1001), start * NS)
            receiver.umbilical(crafts[node - 1].event("LINK_CLOSED", stop, peer_id=1001), stop * NS)


def _products(receiver: Receiver, duration_s: int) -> tuple[int, int]:
    """Products of the real scene by the real app; bytes sensed and downlinked."""
    scene, _ = plant_burn(read_scene(LANDSAT7_OLINDA))
    rgb = np.stack([scene.band(role) for role in ("red", "green", "blue")], axis=-1)
    folder = receiver.run_dir
    np.savez_compressed(folder / "scene.npz", rgb=rgb)
    sensed = downlinked = 0
    cuts = cut_tiles(*scene.image.shape[1:])
    for cut in cuts:
        pixels = np.ascontiguousarray(tile_image(scene, cut))
        tile = make_tile(
            pixels,
            observation_id=cut.index + 1,
            tile_index=cut.index,
            row_offset=cut.row0,
            col_offset=cut.col0,
        )
        product = walk("surface_watch", tile)
        at_ns = round((200 + cut.index * (duration_s - 400) / 16) * NS)
        accepted = AcceptProduct(
            content_id(product), cut.index + 1, cut.index, 1 + cut.index % 12, len(product)
        )
        receiver.accept(accepted, product, at_ns)
        sensed += pixels.nbytes
        downlinked += len(product)
    return sensed, downlinked


def _documents(
    folder: Path, duration_s: int, node_count: int, tasks: int, sensed: int, downlinked: int
) -> None:
    documents = {
        "geometry": _geometry(duration_s, node_count),
        "manifest": _manifest(),
        "summary": _summary(folder, duration_s, node_count, tasks, sensed, downlinked),
    }
    for name, content in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def _geometry(duration_s: int, node_count: int) -> dict[str, object]:
    names = {str(node): f"sat-{node:02d}" for node in range(1, node_count + 1)}
    names |= {"1000": "ground", "1001": "Svalbard", "1002": "Troll", "1003": "Punta Arenas"}
    t_s = list(range(0, duration_s + 1, 30))
    satellites = {}
    for node in range(1, node_count + 1):
        angles = [2 * math.pi * (t / 5677 + (node - 1) / node_count) for t in t_s]
        satellites[str(node)] = {
            "lat_deg": [math.degrees(math.asin(0.991 * math.sin(a))) for a in angles],
            "lon_deg": [
                (math.degrees(math.atan2(-0.13 * math.sin(a), math.cos(a))) - t / 240 + 20 + 540) % 360 - 180
                for a, t in zip(angles, t_s, strict=True)
            ],
            "t_s": t_s,
        }
    eclipses = {str(node): [[300 + 40 * node, 900 + 40 * node]] for node in range(1, node_count + 1, 2)}
    contacts = [[1, 1001, 95, 510], [2, 1001, 390, 910], [3, 1001, 790, 1310], [9, 1002, 200, 700]]
    contacts += [[node, node % node_count + 1, 0, duration_s] for node in range(1, node_count + 1)]
    return {
        "satellites": satellites,
        "eclipses": eclipses,
        "contacts": contacts,
        "names": names,
    }


def _manifest() -> dict[str, object]:
    stations = {"Svalbard": [78.23, 15.39], "Troll": [-72.01, 2.53], "Punta Arenas": [-52.93, -70.85]}
    return {
        "scenario": "three_body",
        "seed": 7,
        "mode": "virtual",
        "epoch_tai_ns": EPOCH_TAI_NS,
        "state": "finished",
        "commit": "0123456789abcdef",
        "versions": {"flightos": "0.1.0", "numpy": np.__version__},
        "settings": {
            "question": "Does a ring of twelve computing satellites turn images into products on its own?",
            "notes": ["100,000 tera-operations a tile are a modelled stand-in."],
            "station_places_deg": stations,
            "power": {"soc_ratio_min": 0.7},
            "heat": {"temperature_k_max": 333.0},
            "constellation": {"altitude_km": 500.0},
        },
    }


def _summary(
    folder: Path, duration_s: int, node_count: int, tasks: int, sensed: int, downlinked: int
) -> dict[str, object]:
    criteria = [
        {"name": "tasks lost", "expected": "<= 0", "measured": 0, "passed": True},
        {"name": "products", "expected": ">= 16", "measured": 16, "passed": True},
        {"name": "downlink ratio", "expected": "<= 0.1", "measured": downlinked / sensed, "passed": True},
        {"name": "reference exact", "expected": True, "measured": False, "passed": False},
    ]
    return {
        "run_dir": str(folder),
        "scenario": "three_body",
        "mode": "virtual",
        "seed": 7,
        "sim_s": duration_s,
        "wall_s": 1.6,
        "speedup": duration_s / 1.6,
        "trace_hash": "5f" * 32,
        "products_hash": "a1" * 32,
        "nodes": node_count,
        "tasks_submitted": tasks,
        "tasks_done": tasks - 1,
        "tasks_dropped": 1,
        "tasks_lost": 0,
        "products_delivered": 16,
        "bytes_sensed": sensed,
        "bytes_downlinked": downlinked,
        "bundles_lost": 0,
        "upsets_struck": 11,
        "upsets_hit_work": 3,
        "upsets_found": 3,
        "events_by_severity": {"INFO": 150, "LOW": 1, "MEDIUM": 1, "HIGH": 1},
        "invariant_violations": 0,
        "criteria": criteria,
        "passed": False,
    }
