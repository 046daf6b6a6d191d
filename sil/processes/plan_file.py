"""The plan as a file, so that lean processes can read it without what made it (pydantic, numpy, sgp4)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from flightos.core.configuration import NodeConfiguration
from sil.plan import Fault, LinkModel, NodeWorld, RunPlan
from sil.world.tape import GeometryTape

PLAN_NAME = "plan.msgpack"
TAPE_NAME = "geometry.tape"


class PlanFile(msgspec.Struct, frozen=True):
    """What processes need of a RunPlan; the tape lies beside it."""

    scenario: str
    seed: int
    duration_ns: int
    epoch_tai_ns: int
    port_latency_ns: int
    nodes: tuple[NodeConfiguration, ...]
    tables: dict[int, tuple[tuple[str, bytes], ...]]
    worlds: tuple[NodeWorld, ...]
    links: LinkModel
    tiles: tuple[bytes, ...]
    faults: tuple[Fault, ...]


def save_plan(plan: RunPlan, folder: Path) -> None:
    """Write plan and tape into a folder."""
    content = PlanFile(**{name: getattr(plan, name) for name in PlanFile.__struct_fields__})
    (folder / PLAN_NAME).write_bytes(msgspec.msgpack.encode(content))
    plan.tape.save(folder / TAPE_NAME)


def load_plan(folder: Path) -> RunPlan:
    """Read what `save_plan` wrote."""
    content = msgspec.msgpack.decode((folder / PLAN_NAME).read_bytes(), type=PlanFile)
    fields = {name: getattr(content, name) for name in PlanFile.__struct_fields__}
    return RunPlan(tape=GeometryTape.load(folder / TAPE_NAME), **fields)
