"""Signals around a flight: raised before it, noted once while it flies, ignored while it closes."""

from __future__ import annotations

import os
import signal

import pytest

from sil.interruption import Interruption


def press() -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def test_before_the_flight_a_signal_ends_it() -> None:
    """As anywhere else."""
    with Interruption(), pytest.raises(KeyboardInterrupt):
        press()


def test_in_flight_the_first_is_noted_and_the_second_ends_it(capfd: pytest.CaptureFixture[str]) -> None:
    """And the user is told so."""
    with Interruption() as interruption:
        interruption.flying()
        before = interruption.is_wanted
        press()
        assert (before, interruption.is_wanted) == (False, True)
        assert "once more" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            press()


def test_while_closing_nothing_is_interrupted() -> None:
    """However often somebody presses."""
    with Interruption() as interruption:
        interruption.flying()
        interruption.closing()
        press()
        press()
        assert interruption.is_wanted


def test_the_old_handlers_come_back() -> None:
    """For SIGTERM and SIGHUP too, which meanwhile mean the same."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with Interruption(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
