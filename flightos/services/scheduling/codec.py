"""Bodies of bundles and gossip, as MessagePack. Every decoder is total: None stands for bytes that are not one.

Numbers that no sound node sends are no body either: what goes on from here may be reckoned with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from flightos.core.ids import SATELLITE_ID_MAX, SATELLITE_ID_MIN
from flightos.core.reading import decode_or_none
from flightos.services.scheduling.interface import (
    TASK_COUNT_MAX,
    AssignTask,
    NodeView,
    ObservationRecord,
    PlanResult,
    ReplicaAnswer,
    ReplicaRelease,
    TaskCancellation,
    TaskResult,
)
from flightos.services.scheduling.ranges import TERA_OPS_MAX, range_check_of
from flightos.services.scheduling.state import VIEW_COUNT_MAX

Body = TypeVar("Body")

GOSSIP_LENGTH_BYTES: Final = 2

_encoder: Final = msgspec.msgpack.Encoder()
encode: Final[Callable[[Any], bytes]] = _encoder.encode

_gossip_decoder: Final = msgspec.msgpack.Decoder(tuple[NodeView, ...])
_plan_decoder: Final = msgspec.msgpack.Decoder(PlanResult)


def _decoder_of(body_type: type[Body]) -> Callable[[bytes], Body | None]:
    decoder = msgspec.msgpack.Decoder(body_type)
    is_in_range = range_check_of(body_type)

    def decode(data: bytes) -> Body | None:
        body = decode_or_none(decoder, data)
        return body if body is not None and is_in_range(body) else None

    return decode


decode_observation: Final = _decoder_of(ObservationRecord)
decode_answer: Final = _decoder_of(ReplicaAnswer)
decode_release: Final = _decoder_of(ReplicaRelease)
decode_assignment: Final = _decoder_of(AssignTask)
decode_result: Final = _decoder_of(TaskResult)
decode_cancellation: Final = _decoder_of(TaskCancellation)


def decode_plan(data: bytes) -> PlanResult | None:
    """A plan whose graph can be executed: indices in order, inputs before their users, costs not negative."""
    plan = decode_or_none(_plan_decoder, data)
    if plan is None:
        return None
    count = len(plan.tasks)
    if not 0 < count <= TASK_COUNT_MAX or not plan.finish_inputs:
        return None
    for position, task in enumerate(plan.tasks):
        if task.index != position or not 0 <= task.tera_ops <= TERA_OPS_MAX or task.result_bytes < 0:
            return None
        if any(not -1 <= source < position for source in task.inputs):
            return None
    return plan if all(-1 <= source < count for source in plan.finish_inputs) else None


def encode_gossip(views: Sequence[NodeView]) -> bytes:
    """Views as one offer: length (2 bytes, big-endian), then a MessagePack array.

    `links` concatenates the offers of one second; the length tells where the next one starts.
    """
    data = encode(views)
    return len(data).to_bytes(GOSSIP_LENGTH_BYTES, "big") + data


def decode_gossip(data: bytes) -> tuple[NodeView, ...] | None:
    """The views of all offers of one hello; each names a satellite and can be reckoned with."""
    views: list[NodeView] = []
    start = 0
    while start < len(data):
        stop = start + GOSSIP_LENGTH_BYTES
        stop += int.from_bytes(data[start:stop], "big")
        if stop > len(data) or len(views) > VIEW_COUNT_MAX:
            return None
        offer = decode_or_none(_gossip_decoder, data[start + GOSSIP_LENGTH_BYTES : stop])
        if offer is None:
            return None
        views.extend(offer)
        start = stop
    for view in views:
        if not SATELLITE_ID_MIN <= view.node_id <= SATELLITE_ID_MAX or view.rate_tops <= 0:
            return None
        if view.hop_count < 0 or view.queued_tera_ops < 0 or view.heat_seconds < 0:
            return None
    return tuple(views)
