"""Words for what differs: fields, bytes, checkpoints."""

from __future__ import annotations

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import FrameReceived, PowerSampled
from sil.diff import _differing_second, _field_difference
from sil.outcome import LifeTrace
from sil.plan import NodeCrash
from sil.rerun import first_difference
from tests.unit.checkers.evidence_examples import plan


def life(*checkpoints: tuple[int, bytes]) -> LifeTrace:
    return LifeTrace(1, 0, b"".join(digest for _, digest in checkpoints), checkpoints)


def test_first_differing_checkpoint_is_found() -> None:
    """By digest, by a second that only one has, and by the end of the shorter."""
    plain = life((0, b"a"), (1, b"b"), (2, b"c"))
    assert _differing_second(plain, life((0, b"a"), (1, b"x"), (2, b"c"))) == 1
    assert _differing_second(plain, life((0, b"a"), (2, b"c"))) == 1
    assert _differing_second(plain, life((0, b"a"), (1, b"b"))) == 2
    assert _differing_second(plain, plain) == 3, "they part after the last checkpoint"


def test_first_difference_is_said_in_words() -> None:
    """Digest, second, count, tail."""
    plain = life((0, b"a"), (1, b"b"))
    assert "on-board second 1" in first_difference(plain, ((0, b"a"), (1, b"x")))
    assert "of on-board second 1, the replay of 2" in first_difference(plain, ((0, b"a"), (2, b"b")))
    assert "2 checkpoints, the replay 1" in first_difference(plain, ((0, b"a"),))
    assert "after the last checkpoint" in first_difference(plain, plain.checkpoints)


def test_first_differing_field_is_named() -> None:
    """Integers with both values, bytes from the first differing one on."""
    one, other = PowerSampled(900_000, 1, 2, 3), PowerSampled(899_999, 1, 2, 4)
    assert _field_difference(one, other) == "soc_ratio_e6: 900000 in A, 899999 in B"
    frame, changed = FrameReceived(0, 2, b"abcdef"), FrameReceived(0, 2, b"abXdef")
    found = "data: 6 and 6 bytes, from byte 2 on 63646566 in A, 58646566 in B"
    assert _field_difference(frame, changed) == found
    assert _field_difference(NodeCrash(1, 5), NodeCrash(1, 5, 7)) == "restart_after_ns: None in A, 7 in B"


def test_keys_are_named_but_not_shown() -> None:
    """Input logs begin with the configuration, keys included; what is printed ends up in reports of faults."""
    one: NodeConfiguration = plan().nodes[0]
    terminal = msgspec.structs.replace(one.terminals[0], key=bytes(range(32)))
    others = (
        msgspec.structs.replace(one, command_key=bytes(range(32))),
        msgspec.structs.replace(one, terminals=(terminal, *one.terminals[1:])),
    )
    fewer = msgspec.structs.replace(one, terminals=one.terminals[1:])
    for said in [_field_difference(one, other) for other in (*others, fewer)]:
        assert "key" in said or "terminals" in said
        for key in (bytes(range(32)), one.terminals[0].key, one.command_key):
            assert key[:4].hex() not in said
            assert repr(key[:4])[2:-1] not in said
