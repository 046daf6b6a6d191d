"""The peer of virtual_12: simpy (simpy.readthedocs.io) carrying the same message pattern, and nothing else.

Each node has as many periodic 1 Hz processes as the flight had wake-ups a second, and receives as many messages a
second as the flight's node did: frames with latencies and sizes sampled from the flight, device records with the
port latency. A message is the leanest that simpy offers, a Timeout with a callback; its receiver hashes it with
BLAKE2b. There are no services, no records built, encoded, authenticated or decoded, no input log, no archive, no world,
and no messages from nodes to the world: all that is left out in simpy's favour.

`per_record` adds what a user of simpy would have who models the software bus inside a node as events too: one event
for each record that the flight delivered on its buses.
"""

from __future__ import annotations

from collections.abc import Generator
from hashlib import blake2b
from itertools import cycle
from struct import Struct
from typing import Any

import simpy

from flightos.core.time import NS_PER_S
from sil.bench.traffic import NodeTraffic, Traffic

_HEAD = Struct("<qqq")


class ModelNode:
    """One node of the model: a trace, periodic work, and messages to its neighbour in the list."""

    def __init__(self, env: simpy.Environment, node: NodeTraffic, traffic: Traffic, per_record: bool) -> None:
        self._env = env
        self._traffic = traffic
        self._trace = blake2b(digest_size=16)
        self._node = node
        self._payloads = cycle([bytes(size) for size in traffic.sizes_bytes or [0]])
        self._latencies = cycle(traffic.latencies_ns or [0])
        self._device_payload = bytes(32)
        self._records = traffic.record_count // len(traffic.nodes) if per_record else 0
        self.delivered_count = 0
        wakeups = max(1, round(node.wakeups / traffic.sim_s))
        env.process(self._send())
        for _ in range(wakeups - 1):
            env.process(self._tick())

    def _tick(self) -> Generator[Any, Any, None]:
        while True:
            yield self._env.timeout(NS_PER_S)

    def _send(self) -> Generator[Any, Any, None]:
        """Each second, what is due of frames, device records and records, evenly over the flight."""
        env, node, seconds = self._env, self._node, self._traffic.sim_s
        second = frames = devices = records = 0
        while True:
            second += 1
            while frames * seconds < node.frames_received * second:
                frames += 1
                message = (env.now, frames, next(self._payloads))
                env.timeout(next(self._latencies), message).callbacks.append(self._deliver)
            while devices * seconds < node.records_from_devices * second:
                devices += 1
                message = (env.now, -devices, self._device_payload)
                env.timeout(self._traffic.port_latency_ns, message).callbacks.append(self._deliver)
            while records * seconds < self._records * second:
                records += 1
                env.timeout(0).callbacks.append(self._pass)
            yield env.timeout(NS_PER_S)

    def _deliver(self, event: Any) -> None:
        sent_ns, number, payload = event.value
        self._trace.update(_HEAD.pack(self._env.now, sent_ns, number))
        self._trace.update(payload)
        self.delivered_count += 1

    def _pass(self, event: Any) -> None:
        self.delivered_count += 1

    def digest(self) -> bytes:
        """The trace so far."""
        return self._trace.digest()


def run_model(traffic: Traffic, per_record: bool = False) -> tuple[int, str]:
    """Run the model over the flight's mission time; messages delivered and the hash of all traces."""
    env = simpy.Environment()
    nodes = [ModelNode(env, node, traffic, per_record) for node in traffic.nodes]
    env.run(until=traffic.sim_s * NS_PER_S)
    total = blake2b(b"".join(node.digest() for node in nodes), digest_size=16)
    return sum(node.delivered_count for node in nodes), total.hexdigest()
