"""The line between member processes over ipc: one-way latency at 1 kHz and the rate it carries, beside raw pyzmq.

Sender and receiver are two processes and wait as members do, in a blocking receive. What the flight's line adds to raw
pyzmq is the codec: a typed record in a message in a batch, built, encoded, decoded.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

import zmq

from flightos.core.errors import InfrastructureError
from sil.bench.bus_sender import STAMP_BYTES
from sil.bench.flights import scratch
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import alternate, median, quantile
from sil.processes.data_line import bound_inbox, decode_batch

PERIOD_NS = 1_000_000
PAYLOADS = (("64b", 64), ("1kib", 1024))
PEER = "raw pyzmq, same sockets"
SILENCE_MS = 10_000


class Seen(NamedTuple):
    """Of one stretch: latencies in us, messages a second, receiver's CPU microseconds a message."""

    latencies_us: list[float]
    rate_hz: float
    cpu_us: float


@dataclass(frozen=True)
class Stretch:
    """What is sent."""

    payload_bytes: int
    message_count: int
    period_ns: int


def measure(options: Options) -> Iterator[Row]:
    """For each size: p99 (the goal), p50 beside the peer, and the rate beside the peer."""
    paced_count, flat_out_count = (2_000, 20_000) if options.is_quick else (4_000, 60_000)
    with scratch() as folder:
        line = Line(folder)
        for size_name, payload_bytes in PAYLOADS:
            paced = _compare(line, Stretch(payload_bytes, paced_count, PERIOD_NS), options)
            flat_out = _compare(line, Stretch(payload_bytes, flat_out_count, 0), options)
            yield from _rows(size_name, paced, flat_out)


def _compare(line: Line, stretch: Stretch, options: Options) -> dict[str, list[Seen]]:
    contenders = {
        "member": lambda: line.receive("member", stretch),
        "raw": lambda: line.receive("raw", stretch),
    }
    return alternate(contenders, options.rounds(5))


class Line:
    """The receiving process; each stretch gets an address of its own in `folder`, which is short."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def receive(self, kind: str, stretch: Stretch) -> Seen:
        """Start a sender and take all it sends."""
        address = f"ipc://{self._folder / str(next(self._numbers))}"
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        inbox = bound_inbox(context, address)
        inbox.setsockopt(zmq.RCVTIMEO, SILENCE_MS)
        sender = _start_sender(kind, address, stretch)
        gc.collect()
        gc.freeze()
        try:
            take = _take_as_member if kind == "member" else _take_raw
            return take(inbox, stretch.message_count)
        except zmq.Again as error:
            raise InfrastructureError("the sending process has fallen silent") from error
        finally:
            gc.unfreeze()
            sender.kill()
            sender.wait()
            inbox.close(linger=0)
            context.term()


def _start_sender(kind: str, address: str, stretch: Stretch) -> subprocess.Popen[bytes]:
    figures = (stretch.payload_bytes, stretch.message_count, stretch.period_ns)
    command = [sys.executable, "-m", "sil.bench.bus_sender", kind, address, *map(str, figures)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)


def _take_as_member(inbox: zmq.Socket[bytes], message_count: int) -> Seen:
    latencies_us: list[float] = []
    first_ns = first_cpu_s = 0.0
    while len(latencies_us) < message_count:
        identity, data = inbox.recv_multipart()
        int(identity)
        for message in decode_batch(data):
            latencies_us.append((time.monotonic_ns() - message.due_ns) / 1000)
        if not first_ns:
            first_ns, first_cpu_s = time.monotonic_ns(), time.process_time()
    return _seen(latencies_us, first_ns, first_cpu_s)


def _take_raw(inbox: zmq.Socket[bytes], message_count: int) -> Seen:
    latencies_us: list[float] = []
    first_ns = first_cpu_s = 0.0
    while len(latencies_us) < message_count:
        _, data = inbox.recv_multipart()
        sent_ns = int.from_bytes(data[:STAMP_BYTES], "big")
        latencies_us.append((time.monotonic_ns() - sent_ns) / 1000)
        if not first_ns:
            first_ns, first_cpu_s = time.monotonic_ns(), time.process_time()
    return _seen(latencies_us, first_ns, first_cpu_s)


def _seen(latencies_us: list[float], first_ns: float, first_cpu_s: float) -> Seen:
    later = len(latencies_us) - 1
    taken_s = (time.monotonic_ns() - first_ns) / 1e9
    # The first message also waits for the connection.
    return Seen(latencies_us[1:], later / taken_s, (time.process_time() - first_cpu_s) * 1e6 / later)


def _rows(size_name: str, paced: dict[str, list[Seen]], flat_out: dict[str, list[Seen]]) -> Iterator[Row]:
    def latency_us(kind: str, ratio: float) -> float:
        return median([quantile(seen.latencies_us, ratio) for seen in paced[kind]])

    def rate_hz(kind: str) -> float:
        return median([seen.rate_hz for seen in flat_out[kind]])

    def cpu_us(kind: str) -> float:
        return median([seen.cpu_us for seen in flat_out[kind]])

    rounds = len(paced["member"])
    yield Row(
        name=f"local_bus_{size_name}_p99",
        value=latency_us("member", 0.99) / 1000,
        unit="ms",
        peer=PEER,
        goal="<= 0.5",
        detail={
            "peer_p99_ms": latency_us("raw", 0.99) / 1000,
            "messages": len(paced["member"][0].latencies_us),
            "rounds": rounds,
            "pattern": "one way, 1 kHz, one message a batch, two processes over ipc",
        },
    )
    yield Row(
        name=f"local_bus_{size_name}_p50",
        value=latency_us("member", 0.5) / 1000,
        unit="ms",
        peer=PEER,
        ratio=latency_us("member", 0.5) / latency_us("raw", 0.5),
        detail={"peer_p50_ms": latency_us("raw", 0.5) / 1000, "ratio": "latency, lower is better"},
    )
    yield Row(
        name=f"local_bus_{size_name}_rate",
        value=rate_hz("member"),
        unit="messages / s",
        peer=PEER,
        ratio=rate_hz("member") / rate_hz("raw"),
        detail={
            "peer_rate": rate_hz("raw"),
            "receiver_cpu_us": cpu_us("member"),
            "peer_receiver_cpu_us": cpu_us("raw"),
            "ratio": "rate, higher is better; one message a batch, flat out",
        },
    )
