"""Boards as processes on a network: they find each other, survive kill -9, and their logs play again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flightos.ground.inspect import open_run
from sil.rerun import rerun

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 30.0


def free_ports(count: int) -> list[int]:
    """TCP ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def write_board(folder: Path, node_id: int, peer_id: int, ports: dict[int, int]) -> Path:
    """The file of one of two boards that are joined by a link."""
    folder.mkdir()
    for name, digits in (("link.key", "ab"), ("command.key", f"{node_id:02x}")):
        (folder / name).write_text(digits * 32, encoding="ascii")
    file = folder / "node.toml"
    file.write_text(
        f"""node_id = {node_id}
name = "board-{node_id}"
[network]
listen = "tcp://127.0.0.1:{ports[node_id]}"
umbilical = "tcp://127.0.0.1:{ports[0]}"
[network.peers]
{peer_id} = "tcp://127.0.0.1:{ports[peer_id]}"
[[terminals]]
kind = "laser"
peers = [{peer_id}]
acquisition_s = 1.0
[store]
folder = "data"
""",
        encoding="utf-8",
    )
    return file


def start(file: Path) -> subprocess.Popen[bytes]:
    """One board as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "flightos.cli", "node", str(file)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )


def wait_for_links(data: Path, count: int) -> None:
    """Until the board says that so many of its links are open."""
    give_up_s = time.monotonic() + WAIT_S
    while time.monotonic() < give_up_s:
        if (data / "packets.umbilical.raw").is_file():
            rows = open_run(data).query(
                "SELECT arg_max(value, t_tai_ns) FROM telemetry WHERE parameter = 'links/links_open'"
            )
            if rows and rows[0][0] == count:
                return
        time.sleep(0.5)
    raise AssertionError(f"{data}: {count} links were not open within {WAIT_S} s")


def test_two_boards_link_up_and_one_comes_back_from_kill_9(tmp_path: Path) -> None:
    """The link opens, opens again after the death of one side, and every life replays to its hash."""
    ports = dict(enumerate(free_ports(3)))
    files = {node: write_board(tmp_path / str(node), node, 3 - node, ports) for node in (1, 2)}
    boards = {node: start(file) for node, file in files.items()}
    try:
        for node in (1, 2):
            wait_for_links(tmp_path / str(node) / "data", 1)
        boards[2].send_signal(signal.SIGKILL)
        boards[2].wait()
        boards[2] = start(files[2])
        give_up_s = time.monotonic() + WAIT_S
        while len(list((tmp_path / "2" / "data" / "inputs").glob("2.*.log"))) < 2:
            assert time.monotonic() < give_up_s, "the board does not come back"
            time.sleep(0.2)
        time.sleep(3.0)
        wait_for_links(tmp_path / "2" / "data", 1)
    finally:
        for board in boards.values():
            board.send_signal(signal.SIGTERM)
        statuses = [board.wait(WAIT_S) for board in boards.values()]
    assert statuses == [0, 0]
    for node in (1, 2):
        data = tmp_path / str(node) / "data"
        lives = rerun(data, node).lives
        assert lives[-1].is_equal is True
        assert json.loads((data / "manifest.json").read_text())["state"] == "finished"
    assert [life.is_equal for life in rerun(tmp_path / "2" / "data", 2).lives] == [None, True]


def test_a_port_that_is_taken_ends_in_status_3(tmp_path: Path) -> None:
    """With the address in the message, and no process left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = write_board(tmp_path / "1", 1, 2, {0: 1, 1: port, 2: 1})
        done = subprocess.run(
            [sys.executable, "-m", "flightos.cli", "node", str(file), "--duration", "1"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 3
    assert str(port) in done.stderr
