"""Work in progress: what a host hands to workers, and what it makes of their answers.

The modelled finish time belongs to the host; when it comes, the worker's answer is asked for, and the run waits for it.
An upset that strikes while work is in progress flips one bit of an input or of the result; the checksums that tiles
and results carry find it. Plans are a few hundred bytes of control data, held where memory corrects itself: upsets
spare them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flightos.core.ports import StartWork, WorkFailure


class Workers(Protocol):
    """Where kernels and app steps run. Answers are taken in any order."""

    def start(self, work: StartWork, inputs: Sequence[bytes], hang: bool) -> None:
        """Begin; with `hang` the work never ends by itself."""
        ...

    def result(self, work_id: int) -> bytes | WorkFailure:
        """Wait for the answer."""
        ...

    def abort(self, work_id: int) -> None:
        """Kill it; no answer is wanted. Unknown ids are no error."""
        ...

    def close(self) -> None:
        """Leave no process behind."""
        ...


class RunningWork:
    """One piece of work between start and modelled finish."""

    __slots__ = ("hangs", "inputs", "result_bit", "work")

    def __init__(self, work: StartWork, inputs: list[bytes], hangs: bool) -> None:
        self.work = work
        self.inputs = inputs
        self.hangs = hangs
        self.result_bit: int | None = None

    def strike(self, selector: int, bit_index: int) -> bool:
        """Flip a bit: of an input when `selector` is even (True: run it again on what memory now holds), else of
        the result when it comes."""
        if selector % 2 == 0 and self.inputs:
            place = selector // 2 % len(self.inputs)
            self.inputs[place] = flip_bit(self.inputs[place], bit_index)
            return True
        self.result_bit = bit_index
        return False


def flip_bit(data: bytes, bit_index: int) -> bytes:
    """`data` with one bit changed; the index is taken modulo its length."""
    if not data:
        return data
    place = bit_index % (len(data) * 8)
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)
