"""What benchmarks measure with: the simpy model delivers what the flight carried; processes are seen from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from flightos.core.errors import InfrastructureError
from flightos.core.time import NS_PER_MS
from sil.bench.bus_sender import pace
from sil.bench.children import cpu_s, descendants, mapped_packages, memory, wait_for_processes
from sil.bench.traffic import NodeTraffic, Traffic


def traffic() -> Traffic:
    """Two nodes over ten seconds; latencies well below a second, so that nearly everything arrives."""
    nodes = [
        NodeTraffic(1, wakeups=30, frames_received=25, records_from_devices=40),
        NodeTraffic(2, wakeups=10, frames_received=5, records_from_devices=0),
    ]
    return Traffic(
        10, 20 * NS_PER_MS, nodes, record_count=600, latencies_ns=[NS_PER_MS, 3], sizes_bytes=[43, 1]
    )


def test_the_model_delivers_the_messages_of_the_flight_at_the_same_rate() -> None:
    pytest.importorskip("simpy")
    from sil.bench.simpy_model import run_model

    delivered, _ = run_model(traffic())
    assert delivered == traffic().message_count() == 70
    with_records, _ = run_model(traffic(), per_record=True)
    assert with_records == 70 + 600


def test_the_model_repeats_and_its_trace_tells_different_traffic_apart() -> None:
    pytest.importorskip("simpy")
    from sil.bench.simpy_model import run_model

    other = traffic()
    other.latencies_ns = [NS_PER_MS, 4]
    assert run_model(traffic()) == run_model(traffic())
    assert run_model(traffic())[1] != run_model(other)[1]


def test_pacing_sends_each_message_once_and_not_faster_than_asked() -> None:
    sent: list[int] = []
    started_s = time.monotonic()
    pace(sent.append, 20, NS_PER_MS)
    assert time.monotonic() - started_s >= 0.019
    assert sent == list(range(20))


def test_memory_and_cpu_of_a_process_are_read_from_outside() -> None:
    own = memory(os.getpid())
    assert own.rss_mib >= own.pss_mib > 1.0
    assert cpu_s(os.getpid()) > 0.0
    assert "msgspec" in mapped_packages(os.getpid())


def test_a_process_that_is_gone_has_no_figures() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "pass"])
    child.wait()
    with pytest.raises(InfrastructureError):
        memory(child.pid)
    with pytest.raises(InfrastructureError):
        cpu_s(child.pid)
    with pytest.raises(InfrastructureError, match="ended before all its processes appeared: exit status 0"):
        wait_for_processes(child, ["nobody"])
    assert descendants(child.pid) == []


def test_descendants_are_found_through_generations() -> None:
    grandchild = "import subprocess, sys; subprocess.run(['sleep', '30'])"
    with subprocess.Popen([sys.executable, "-S", "-c", grandchild]) as child:
        try:
            (sleeper,) = wait_for_processes(child, ["sleep"])
            assert sleeper in descendants(os.getpid())
        finally:
            for pid in descendants(child.pid):
                os.kill(pid, 9)
            child.kill()
