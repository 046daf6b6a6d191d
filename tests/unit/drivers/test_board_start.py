"""A board that cannot start leaves nothing behind."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flightos.commands.board import run_node
from flightos.core.errors import InfrastructureError
from flightos.node.configuration import load_node

NODE = """node_id = 1
name = "board-1"
[network]
listen = "ipc://{folder}/here"
umbilical = "ipc://{folder}/operator"
[network.peers]
2 = "ipc://{folder}/there"
[[terminals]]
kind = "laser"
peers = [2]
acquisition_s = 1.0
[store]
folder = "data"
"""


def write_node(folder: Path, more: str = "") -> Path:
    """The file of a board, with its keys."""
    for name in ("link.key", "command.key"):
        (folder / name).write_text("ab" * 32, encoding="ascii")
        (folder / name).chmod(0o600)
    file = folder / "node.toml"
    file.write_text(NODE.format(folder=folder) + more, encoding="utf-8")
    return file


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where folders for sockets are made; the signals that a board listens to are given back."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield folder
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_table_that_is_missing_ends_the_start_and_clears_up(tmp_path: Path, places: Path) -> None:
    """Neither the worker server nor the folder for its socket is left."""
    from flightos.run import live

    board = load_node(write_node(tmp_path))
    board.store_folder.mkdir(parents=True)
    missing = {"contact_plan": tmp_path / "none.msgpack"}
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text() if children.exists() else ""
    with pytest.raises(InfrastructureError, match=r"none\.msgpack"):
        live(replace(board, table_files=missing), 0.1)
    assert list(places.iterdir()) == []
    if children.exists():
        assert children.read_text() == before


def test_what_a_board_keeps_is_for_its_user_only(tmp_path: Path, places: Path) -> None:
    """Its input log begins with its keys."""
    run_node(write_node(tmp_path), 0.5)
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in kept)
    assert [path.name for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert list(places.iterdir()) == []
