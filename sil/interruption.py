"""Ctrl-C, SIGTERM and SIGHUP: the first one asks a flight to end at the next safe point, a second one ends it at once.

Theory of operation. An exception out of the blue would leave a window half carried out: a batch sent and not counted,
an input logged whose outputs are in no chain. So while a flight is under way a signal is only noted, and the flight
looks between two windows. Whoever presses again does not want to wait: then everything is dropped where it stands.
While things are being closed, signals are noted and change nothing: closing is short and leaves nothing behind.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Final

HINT: Final = b"\nending in order; once more to drop everything\n"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """A context manager around a flight. At first every signal raises KeyboardInterrupt, as anywhere else."""

    def __init__(self) -> None:
        self.is_wanted = False
        self._is_flying = False
        self._is_closing = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # What the user had ignored (nohup) stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def flying(self) -> None:
        """From now on the flight looks at `is_wanted` by itself."""
        self._is_flying = True

    def closing(self) -> None:
        """From now on nothing is interrupted."""
        self._is_closing = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        was_wanted, self.is_wanted = self.is_wanted, True
        if self._is_closing:
            return
        if not self._is_flying or was_wanted:
            raise KeyboardInterrupt
        # Not print: the signal may have come in the middle of one.
        os.write(sys.stderr.fileno(), HINT)
