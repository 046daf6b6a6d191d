"""What goes into the archive comes out again, whatever the batches, and bad bytes are only counted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.ids import content_id
from flightos.core.ports import AcceptProduct
from flightos.ground.archive import archived_raw_bytes, segments
from flightos.ground.decode import UMBILICAL, Decoder
from flightos.ground.dictionary import GroundDictionary
from flightos.ground.packets import crc16_of_rows, split
from flightos.ground.receive import Receiver
from flightos.kernels.crc import crc16
from tests.unit.ground.synthetic_run import EPOCH_TAI_NS, NS, Spacecraft, document


def decoder() -> Decoder:
    return Decoder(GroundDictionary.from_document(document()), UMBILICAL)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 40).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=6))
)
def test_checksum_of_rows_is_that_of_each_row(rows: list[bytes]) -> None:
    matrix = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)
    assert crc16_of_rows(matrix).tolist() == [crc16(row) for row in rows]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_counted_and_never_crash(pieces: list[bytes]) -> None:
    decoded = decoder().decode(pieces, list(range(len(pieces))))
    assert decoded.packet_count == 0
    assert not decoded.columns
    assert not decoded.events


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 200), flip=st.integers(0, 8 * 60))
def test_damaged_packets_are_dropped_and_whole_ones_kept(cut: int, flip: int) -> None:
    craft = Spacecraft(3)
    good = craft.housekeeping("resources", 1.0, load_mw=120_000)
    damaged = bytearray(good)
    damaged[flip // 8 % len(good)] ^= 1 << flip % 8
    decoded = decoder().decode([good, bytes(damaged), good[: min(cut, len(good) - 1)]], [0, 0, 0])
    assert decoded.packet_count == 1


def test_pieces_of_several_packets_give_the_same_as_single_ones() -> None:
    craft = Spacecraft(4)
    packets = [craft.housekeeping("compute", t, running_count=t) for t in range(5)]
    packets += [craft.event("EXECUTION_STARTED", 5.0, task_id=256, attempt=1, step="water")]
    single, joined = split(packets, [7] * 6), split([b"".join(packets)], [7])
    assert [single.packet(i) for i in range(6)] == [joined.packet(i) for i in range(6)] == packets


def test_columns_are_ordered_by_spacecraft_then_time_and_carry_their_values() -> None:
    crafts = [Spacecraft(node) for node in (2, 1)]
    packets = [
        craft.housekeeping("resources", t, soc_ratio=t / 10, energy_available_mj=1000 * craft.id + t)
        for t in (3, 1, 2)
        for craft in crafts
    ]
    columns = {c.parameter: c for c in decoder().decode(packets, list(range(6))).columns}
    energy = columns["resources/energy_available_mj"]
    assert energy.value.tolist() == [1001, 1002, 1003, 2001, 2002, 2003]
    assert energy.spacecraft.tolist() == [1, 1, 1, 2, 2, 2]
    assert ((energy.t_tai_ns - EPOCH_TAI_NS) / NS).tolist() == [1, 2, 3, 1, 2, 3]
    assert columns["resources/soc_ratio"].value.tolist() == [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]


def test_event_is_said_in_words() -> None:
    packet = Spacecraft(5).event("MODE_CHANGED", 1.5, previous=2, mode=0, trigger=1)
    (event,) = decoder().decode([packet], [9]).events
    assert (event.spacecraft, event.name, event.service) == (5, "MODE_CHANGED", "health")
    assert event.t_tai_ns == EPOCH_TAI_NS + 1_500_000_000
    assert event.text.startswith("mode NOMINAL -> SAFE because of ")


def test_missing_packets_are_counted_as_gaps_per_spacecraft_and_process() -> None:
    first, second = Spacecraft(1), Spacecraft(2)
    packets = [first.housekeeping("compute", t) for t in range(6)]
    others = [second.housekeeping("compute", t) for t in range(6)]
    reader = decoder()
    reader.decode(packets[:2] + others[:2], [0] * 4)
    reader.decode(packets[3:5] + others[2:], [0] * 6)
    assert reader.gaps == {(1, 0x106): 1}


def test_unknown_structures_and_events_are_counted() -> None:
    short = document()
    full = GroundDictionary.from_document(short)
    full.housekeeping.clear()
    full.events.clear()
    reader = Decoder(full, UMBILICAL)
    craft = Spacecraft(1)
    reader.decode([craft.housekeeping("compute", 0), craft.event("TOO_HOT", 0)], [0, 0])
    assert reader.faults == {"unknown structure": 1, "unknown event": 1}


@pytest.mark.parametrize("threaded", [False, True])
def test_folder_holds_all_that_was_received(tmp_path: Path, threaded: bool) -> None:
    receiver = Receiver(tmp_path, document(), EPOCH_TAI_NS, threaded=threaded)
    craft = Spacecraft(7)
    sent = []
    for t in range(20):
        sent.append(craft.housekeeping("compute", t, running_count=t % 3))
        receiver.umbilical(sent[-1], t * NS)
        if t == 10:
            receiver.flush()
    report = craft.verification(8, 3.25, 0x0501, 17, refusal=13)
    receiver.umbilical(report, 3 * NS)
    event = craft.event("TASK_DONE", 4.0, task_id=513, node_id=7)
    receiver.downlink(7, event, 9 * NS)
    product = AcceptProduct(content_id(b"p"), 2, 1, 7, 1)
    receiver.accept(product, b"p", 11 * NS)
    receiver.accept(product, b"p", 12 * NS)
    receiver.close()
    assert (tmp_path / "packets.umbilical.raw").read_bytes() == b"".join(sent) + report
    files = segments(tmp_path)
    assert len(files) == 2
    assert archived_raw_bytes(files) == (sum(map(len, sent)) + len(report), len(event))
    rows = [row for file in files for row in parquet.read_table(file).to_pylist()]
    running = [row["value"] for row in rows if row["parameter"] == "compute/running_count"]
    assert running == [t % 3 for t in range(20)]
    catalogue = sqlite3.connect(tmp_path / "catalogue.sqlite")
    assert catalogue.execute("SELECT path, name, fields FROM events").fetchall() == [
        (1, "TASK_DONE", '{"task_id": 513, "node_id": 7}')
    ]
    assert catalogue.execute(
        "SELECT stage, command, sequence_count, source, refusal FROM verifications"
    ).fetchall() == [("failed", "scheduling.RequestObservation", 17, 2000, 13)]
    assert catalogue.execute("SELECT content_id, t_receive_ns FROM products").fetchall() == [
        (content_id(b"p").hex(), EPOCH_TAI_NS + 11 * NS)
    ]
    assert catalogue.execute("SELECT task_id, fact FROM tasks").fetchall() == [(513, "TASK_DONE")]
    assert catalogue.execute("SELECT command, stages, refusal FROM commands").fetchall() == [
        ("scheduling.RequestObservation", "failed", 13)
    ]
    catalogue.close()
    assert (tmp_path / "products" / content_id(b"p").hex()).read_bytes() == b"p"


def test_second_writer_is_refused(tmp_path: Path) -> None:
    Receiver(tmp_path, document(), threaded=False).close()
    with pytest.raises(FileExistsError):
        Receiver(tmp_path, document())


def test_before_the_clock_is_set_the_time_of_receipt_counts() -> None:
    """Events and housekeeping alike; commands too."""
    craft = Spacecraft(1)
    craft.has_time = False
    packets = [
        craft.event("TOO_HOT", 0.5),
        craft.housekeeping("compute", 1.0),
        craft.verification(1, 1.5, 1, 2),
    ]
    craft.has_time = True
    packets.append(craft.event("TOO_HOT", 3.0))
    decoded = decoder().decode(packets, [EPOCH_TAI_NS + t * NS for t in (1, 2, 3, 4)])
    assert [event.t_tai_ns - EPOCH_TAI_NS for event in decoded.events] == [NS, 3 * NS]
    assert {int(column.t_tai_ns[0]) for column in decoded.columns} == {EPOCH_TAI_NS + 2 * NS}
    assert decoded.verifications[0].t_tai_ns == EPOCH_TAI_NS + 3 * NS


def test_without_a_time_of_receipt_the_packets_around_tell() -> None:
    """As when a raw log is read again."""
    craft = Spacecraft(1)
    packets = []
    for t_s, has_time in ((0.0, False), (5.0, True), (9.0, True), (1.0, False)):
        craft.has_time = has_time
        packets.append(craft.event("TOO_HOT", t_s))
    events = decoder().decode([b"".join(packets)], [0]).events
    assert [(event.t_tai_ns - EPOCH_TAI_NS) / NS for event in events] == [5, 5, 9, 9]
