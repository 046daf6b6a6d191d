"""Brings a node to where an earlier life of it ended: snapshot, then the rest of its input log, mute."""

from __future__ import annotations

from pathlib import Path

from flightos.host.keeping import read_log, read_snapshot
from flightos.node.node import Node


def relive(node: Node, log_folder: Path, boot_count: int) -> None:
    """Replay one boot, and those before it where it began from them. What the node asks of its devices meanwhile is
    nobody's business. Raises InfrastructureError when a log is missing."""
    node_id = node.configuration.node_id
    header, entries = read_log(log_folder, node_id, boot_count)
    snapshot = read_snapshot(log_folder, node_id, boot_count)
    if snapshot is not None:
        node.restore(snapshot)
        entries = entries[snapshot.entry_count :]
    elif header.boot_count > 0:
        relive(node, log_folder, boot_count - 1)
    for obt_ns, entry in entries:
        node.replay(entry, obt_ns)
