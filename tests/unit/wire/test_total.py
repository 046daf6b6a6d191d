"""Decoders of outside bytes are total: valid encodings with one thing wrong give a plain no, and never an exception."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.errors import InfrastructureError
from flightos.core.ids import CONTENT_ID_BYTES
from flightos.core.reading import decode_or_none
from flightos.ground.acceptance import AcceptanceService
from flightos.host.keeping import InputLog, read_log
from flightos.node.edge import Edge
from flightos.services.links.interface import BundleHeader
from flightos.services.network.interface import BundleDelivered, BundleKind, OpenBundle
from flightos.services.scheduling import codec
from flightos.services.scheduling.interface import (
    AssignTask,
    NodeView,
    ObservationRecord,
    PlanResult,
    ProductMetadata,
    ReplicaAnswer,
    ReplicaRelease,
    TaskCancellation,
    TaskResult,
    TaskSpec,
)
from flightos.services.storage.interface import ProductAcceptance
from flightos.services.storage.service import StorageService
from flightos.services.telemetry.interface import DownlinkBatch
from flightos.wire.bundle import encode_bundle

ID: Final = bytes(CONTENT_ID_BYTES)
OBSERVATION: Final = ObservationRecord(7, "watch", 3, ID, 1_000, 1, 2, 1, 2, 1, (1, 2))
METADATA: Final = ProductMetadata(ID, 7, 3, "watch", 1_000, 1, 2)
ACCEPTANCE: Final = ProductAcceptance(ID, (1, 2, 3))
DEEP: Final = b"\x91" * 50_000
NODE: Final = NodeConfiguration(
    1, "one", Role.SATELLITE, (TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32)),), (2,)
)
BODIES: Final[tuple[tuple[Callable[[bytes], Any], Any], ...]] = (
    (codec.decode_observation, OBSERVATION),
    (codec.decode_answer, ReplicaAnswer(7, (1, 2), 0)),
    (codec.decode_release, ReplicaRelease(7, (1, 2))),
    (codec.decode_assignment, AssignTask(1792, (1, 2), 1, "watch", "water", b"", (ID,), 10, 1, (5,))),
    (codec.decode_result, TaskResult(1792, (1, 2), 1, ID, 5, 0, 0)),
    (codec.decode_cancellation, TaskCancellation(1792, (1, 2), 1)),
    (codec.decode_plan, PlanResult((TaskSpec(0, "water", "water", b"", (-1,), 10, 5),), (0,))),
)


def spoilt(body: Any) -> Iterator[bytes]:
    """The encoding with a text that is no UTF-8 for each of its texts, with a pit at its end, and cut short."""
    data = msgspec.msgpack.encode(body)
    for start in range(len(data)):
        length = data[start] & 0x1F
        text = data[start + 1 : start + 1 + length]
        if 0xA1 <= data[start] <= 0xBF and len(text) == length and text.isalpha():
            yield data[: start + 1] + b"\xff" * length + data[start + 1 + length :]
    yield bytes((data[0] + 1,)) + data[1:] + DEEP
    yield DEEP
    yield data[:-1]


@pytest.mark.parametrize(("decode", "body"), BODIES, ids=lambda value: type(value).__name__)
def test_bodies_of_other_nodes(decode: Callable[[bytes], Any], body: Any) -> None:
    """The encoding itself is read; nothing that was made of it raises."""
    assert decode(msgspec.msgpack.encode(body)) == body
    assert [decode(data) for data in spoilt(body)] == [None] * len(list(spoilt(body)))


def test_gossip() -> None:
    """Gossip has no texts, but may be deep."""
    view = NodeView(3, 0, 1, True, 2, 400, 0, 0, 0, 0)
    offer = codec.encode_gossip((view,))
    assert codec.decode_gossip(offer) == (view,)
    pit = b"\x91" * 60_000
    assert codec.decode_gossip(len(pit).to_bytes(2, "big") + pit) is None


def delivered(kind: BundleKind, body: bytes) -> BundleDelivered:
    """A bundle with this body."""
    return BundleDelivered(2, kind, body, (), 0, (2, 1, 1))


def test_what_the_ground_receives() -> None:
    """Metadata and batches that are none are refused and counted."""
    ground = AcceptanceService(NodeConfiguration(1000, "ground", Role.GROUND, (), ()))
    bad = [*spoilt(METADATA)]
    for data in bad:
        ground.handle(delivered(BundleKind.PRODUCT, data), 0)
    assert ground.state.products_refused == len(bad) == 4
    for data in spoilt(DownlinkBatch(b"packets", 1)):
        ground.handle(delivered(BundleKind.TELEMETRY, data), 0)
    assert ground.state.downlink_bundles_refused == 3


def test_what_storage_receives() -> None:
    """Answers of the ground that are none are counted."""
    storage = StorageService(NODE)
    for data in spoilt(ACCEPTANCE):
        assert storage.handle(delivered(BundleKind.PRODUCT_ACCEPTED, data), 0) == ()
    assert storage.state.acceptance_undecodable_count == 3


def test_tables_in_bundles() -> None:
    """The edge reads name and content of a table, or counts."""
    edge = Edge(NODE)
    bodies = [*spoilt(("contacts", b"table"))]
    for number, body in enumerate(bodies):
        header = BundleHeader(2, 1, number, 1, 60_000, int(BundleKind.TABLE), 1)
        key = edge.store.put(encode_bundle(header, body, []))
        assert edge.reaction(OpenBundle)(OpenBundle(header, key), 0) == ()
    assert edge.decode_error_count == len(bodies) == 4


def test_an_input_log(tmp_path: Path) -> None:
    """A log whose bytes have turned is an infrastructure fault with the file's name, in whatever way they turned."""
    log = InputLog(tmp_path, NODE, 0, False)
    log.close()
    good = (tmp_path / "1.0.log").read_bytes()
    assert read_log(tmp_path, 1, 0)[0].configuration == NODE
    for data in (
        good.replace(b"\xa3one", b"\xa3\xff\xff\xff"),
        DEEP + b"\x00",
        good + b"\x92\xa1\xff\x00",
        b"\xc1",
    ):
        (tmp_path / "1.0.log").write_bytes(data)
        with pytest.raises(InfrastructureError, match=r"1\.0\.log"):
            read_log(tmp_path, 1, 0)


def test_the_helper_reads_what_can_be_read() -> None:
    """A value of the type, else None."""
    decoder = msgspec.msgpack.Decoder(tuple[str, int])
    assert decode_or_none(decoder, msgspec.msgpack.encode(("a", 1))) == ("a", 1)
    assert [decode_or_none(decoder, data) for data in (b"", b"\x92\xa1\xff\x01", DEEP)] == [None] * 3
