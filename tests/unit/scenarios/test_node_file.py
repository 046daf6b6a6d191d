"""The file of one node: checked like a scenario; a board lives from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flightos.core.errors import ConfigError, InfrastructureError
from flightos.drivers.board_sensors import BoardSensors
from flightos.node.configuration import load_node

DEPLOYED = sorted((Path(__file__).resolve().parents[3] / "deploy" / "nodes").glob("*.toml"))


def with_keys(folder: Path) -> None:
    """Key files as a user makes them."""
    for name in ("link.key", "command.key"):
        (folder / name).write_text("ab" * 32 + "\n", encoding="ascii")


@pytest.mark.parametrize("file", DEPLOYED, ids=lambda path: path.stem)
def test_every_shipped_node_file_is_right(file: Path, tmp_path: Path) -> None:
    """But for its keys, which are never shipped."""
    with_keys(tmp_path)
    keys = {"keys.link_file": str(tmp_path / "link.key"), "keys.command_file": str(tmp_path / "command.key")}
    board = load_node(file, keys)
    assert board.node.command_key == bytes.fromhex("ab" * 32)
    assert all(peer in board.peer_addresses for peer in board.node.neighbour_ids)


def test_all_faults_of_a_node_file_are_listed(tmp_path: Path) -> None:
    """Types, unknown keys, and what must hold between keys."""
    file = tmp_path / "node.toml"
    file.write_text(
        """node_id = 1001
nam = "x"
[network]
listen = "tcp://0.0.0.0:7000"
[[terminals]]
kind = "laser"
peers = [4]
[power]
soc_ratio_start = 0.2
[compute]
rate_tops = "many"
""",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_node(file)
    said = "\n".join(caught.value.faults)
    for part in (
        "node.toml:1: node_id: expected 1..999",
        "node.toml:2: nam: unknown key; did you mean 'name'?",
        "node.toml:4: network.listen: expected network.public = true",
        "node.toml:7: terminals.0.peers: expected an address of node 4",
        "node.toml:9: power.soc_ratio_start: expected at least",
        "node.toml:11: compute.rate_tops: expected a valid integer",
    ):
        assert part in said


def test_keys_are_files_of_64_digits(tmp_path: Path) -> None:
    """A missing one is trouble of the machine, a wrong one a fault of configuration."""
    file = tmp_path / "node.toml"
    file.write_text("node_id = 1\n", encoding="utf-8")
    with pytest.raises(InfrastructureError, match="link_file"):
        load_node(file)
    with_keys(tmp_path)
    (tmp_path / "command.key").write_text("abc", encoding="ascii")
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        load_node(file)


def test_sensors_of_a_board_are_files(tmp_path: Path) -> None:
    """Millidegrees become kelvin; a file that fails gives no sample rather than an old one."""
    with_keys(tmp_path)
    (tmp_path / "node.toml").write_text("node_id = 1\n", encoding="utf-8")
    node = load_node(tmp_path / "node.toml").node
    thermometer = tmp_path / "temp"
    thermometer.write_text("41500\n", encoding="ascii")
    sensors = BoardSensors(thermometer, None, node.power, node.heat)
    power, temperature = sensors.sample()
    assert getattr(temperature, "temperature_mk", None) == 314_650
    assert getattr(power, "load_mw", None) == 120_000
    thermometer.write_text("broken", encoding="ascii")
    assert len(sensors.sample()) == 1
