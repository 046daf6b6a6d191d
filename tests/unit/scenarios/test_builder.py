"""A plan made of a scenario: nodes, tables and tiles that fit each other and repeat."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from flightos.apps.tiles import decode_tile
from flightos.core.configuration import Role
from flightos.core.errors import ConfigError, InfrastructureError
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import CommandSequence
from flightos.services.network.interface import ContactPlan
from flightos.services.resources.interface import EclipseForecast
from flightos.services.scheduling import interface as scheduling
from flightos.wire.layout import layout_of
from sil.plan import RunPlan
from sil.scenarios.builder import build_plan
from sil.scenarios.commands import REQUEST_OBSERVATION_ID, pack_request_observation
from sil.scenarios.contacts import share_windows
from sil.scenarios.leap_seconds import tai_minus_utc_s, tai_ns_of_utc
from sil.scenarios.loader import load_scenario
from sil.scenarios.schema import Scenario


@pytest.fixture(scope="module")
def plan() -> RunPlan:
    """The plan of three_body with seed 7."""
    return build_plan(load_scenario("three_body"), 7)


@pytest.fixture(scope="module")
def contacts(plan: RunPlan) -> ContactPlan:
    """The contact plan of satellite 1."""
    return msgspec.msgpack.decode(dict(plan.tables[1])["contact_plan"], type=ContactPlan)


def test_nodes_are_those_of_the_scenario(plan: RunPlan) -> None:
    """Satellites, mission control and stations in order of id, with the terminals in their fixed places."""
    assert [node.node_id for node in plan.nodes] == [*range(1, 13), 1000, 1001, 1002, 1003]
    first, last = plan.nodes[0], plan.nodes[11]
    assert first.neighbour_ids == (12, 2)
    assert last.neighbour_ids == (11, 1)
    assert [(terminal.kind, terminal.peer_ids) for terminal in first.terminals] == [
        ("laser", (12,)),
        ("laser", (2,)),
        ("radio", (1001, 1002, 1003)),
    ]
    assert [node.compute.rate_tops for node in plan.nodes[:3]] == [744, 640, 560]
    assert [node.node_id for node in plan.nodes if node.has_imager] == [2, 4, 7, 9, 11]
    ground, station = plan.nodes[12], plan.nodes[13]
    assert (ground.role, station.role) == (Role.GROUND, Role.STATION)
    assert [terminal.peer_ids for terminal in ground.terminals] == [(1001,), (1002,), (1003,)]
    assert [terminal.kind for terminal in station.terminals] == ["radio", "wire"]
    for node in plan.nodes:
        assert [terminal.index for terminal in node.terminals] == list(range(len(node.terminals)))


def test_the_ends_of_a_string_have_one_neighbour() -> None:
    """The laser without a peer stays in its place."""
    nodes = build_plan(load_scenario("string_of_three"), 1).nodes
    assert nodes[0].neighbour_ids == (2,)
    assert nodes[0].terminals[0].peer_ids == ()
    assert nodes[2].terminals[1].peer_ids == ()


def test_an_antenna_and_a_radio_serve_one_contact_at_a_time(contacts: ContactPlan) -> None:
    """No two station contacts of one station, or of one satellite, overlap."""
    passes = [contact for contact in contacts.contacts if contact.node_a_id < 1000 < contact.node_b_id]
    assert len(passes) > 10
    for one, two in combinations(passes, 2):
        if {one.node_a_id, one.node_b_id} & {two.node_a_id, two.node_b_id}:
            assert one.stop_tai_ns <= two.start_tai_ns or two.stop_tai_ns <= one.start_tai_ns
    assert all(contact.stop_tai_ns - contact.start_tai_ns >= 30 * NS_PER_S for contact in passes)


def test_passes_are_windows_of_the_tape(plan: RunPlan, contacts: ContactPlan) -> None:
    """No contact is planned while the satellite is below the mask."""
    for contact in contacts.contacts:
        if contact.node_a_id >= 1000:
            continue
        start, stop = contact.start_tai_ns - plan.epoch_tai_ns, contact.stop_tai_ns - plan.epoch_tai_ns
        windows = plan.tape.intervals((contact.node_a_id, contact.node_b_id))
        assert any(opens <= start and stop <= closes for opens, closes in windows)


def test_the_longest_remaining_window_is_taken() -> None:
    """Two satellites rise over one station: the one that stays longer gets it, the other what is left."""
    windows = [
        (1, 1001, 0, 100 * NS_PER_S),
        (2, 1001, 0, 300 * NS_PER_S),
        (3, 1001, 250 * NS_PER_S, 400 * NS_PER_S),
    ]
    assert share_windows(windows, Scenario()) == [
        (2, 1001, 0, 300 * NS_PER_S),
        (3, 1001, 300 * NS_PER_S, 400 * NS_PER_S),
    ]


def test_sixteen_commands_for_sixteen_tiles(plan: RunPlan) -> None:
    """Each tile is commanded once, by an imager, with the observation number its tile carries."""
    observations: dict[int, int] = {}
    arguments = next(c.arguments for c in scheduling.DICTIONARY.commands if c.id == REQUEST_OBSERVATION_ID)
    for node in plan.nodes:
        content = dict(plan.tables[node.node_id]).get("command_sequence")
        if content is None:
            continue
        assert node.has_imager
        commands = msgspec.msgpack.decode(content, type=CommandSequence).commands
        assert list(commands) == sorted(commands, key=lambda command: command.execute_tai_ns)
        for command in commands:
            observation, tile, _, deadline_s, app = layout_of(arguments).unpack(command.arguments)
            assert (deadline_s, app) == (1_200, "surface_watch")
            observations[int(tile)] = int(observation)
    assert sorted(observations) == list(range(16))
    assert sorted(observations.values()) == list(range(1, 17))
    for index, tile in enumerate(plan.tiles):
        header, _ = decode_tile(tile)
        assert (header.tile_index, header.observation_id) == (index, observations[index])


def test_imaging_arguments_are_those_that_scheduling_declares() -> None:
    """One layout, declared by its owner."""
    command = next(c for c in scheduling.DICTIONARY.commands if c.name == "RequestObservation")
    command_id, packed = pack_request_observation(5, 6, 1, 600, "surface_watch")
    assert command_id == command.id
    assert layout_of(command.arguments).unpack(packed) == (5, 6, 1, 600, "surface_watch")


def test_eclipses_reach_beyond_the_run(plan: RunPlan) -> None:
    """Every satellite can look ahead to the end of the next eclipse from any second of the run."""
    end_tai_ns = plan.epoch_tai_ns + plan.duration_ns
    for satellite_id in range(1, 13):
        table = msgspec.msgpack.decode(
            dict(plan.tables[satellite_id])["eclipse_forecast"], type=EclipseForecast
        )
        assert any(leave > end_tai_ns for _, leave in table.intervals_tai_ns)


def test_the_same_seed_gives_the_same_plan_and_another_seed_other_keys(plan: RunPlan) -> None:
    """Tape, tables, tiles and nodes repeat; keys and drifts come from the seed."""
    again = build_plan(load_scenario("three_body"), 7)
    assert (again.tape.hash(), again.tables, again.tiles, again.nodes) == (
        plan.tape.hash(),
        plan.tables,
        plan.tiles,
        plan.nodes,
    )
    other = build_plan(load_scenario("three_body"), 8)
    assert other.nodes[0].command_key != plan.nodes[0].command_key
    assert other.nodes[0].terminals[0].key != plan.nodes[0].terminals[0].key
    assert len({node.command_key for node in plan.nodes}) == len(plan.nodes)
    assert all(abs(node.drift_ppb) <= 500 for node in plan.nodes)
    assert len({node.drift_ppb for node in plan.nodes}) > 6


def test_a_shortened_run_is_not_asked_for_all_products() -> None:
    """Completeness belongs to the scenario's own length."""
    loaded = load_scenario("string_of_three")
    assert build_plan(loaded, 1).criteria.products_min == 4
    short = build_plan(loaded, 1, duration_s=60)
    assert short.duration_ns == 60 * NS_PER_S
    assert (short.criteria.products_min, short.criteria.reference_exact) == (None, False)


@pytest.mark.parametrize(
    ("overrides", "word"),
    [
        ({"constellation.spacing_deg": "60", "constellation.satellite_count": "12"}, "transposed"),
        ({"constellation.spacing_deg": "20"}, "open"),
        ({"constellation.spacing_deg": "90"}, "ring"),
    ],
)
def test_a_ring_that_the_geometry_does_not_carry_is_refused(overrides: dict[str, str], word: str) -> None:
    """Open, blind and transposed rings, before anything starts."""
    with pytest.raises(ConfigError, match=word):
        build_plan(load_scenario("three_body", overrides), 1)


def test_a_transposed_element_file_is_refused(tmp_path: Path) -> None:
    """Two satellites that changed places in a user's file are no ring any more."""
    from sil.world.elements import PlaneConfig, plane_elements

    sets = plane_elements(PlaneConfig())
    sets[3], sets[4] = sets[4], sets[3]
    text = "\n".join(f"{one.name}\n{one.line1}\n{one.line2}" for one in sets)
    (tmp_path / "ring.tle").write_text(text, encoding="utf-8")
    loaded = load_scenario("three_body", {"world.elements": str(tmp_path / "ring.tle")})
    with pytest.raises(ConfigError, match="transposed ring"):
        build_plan(loaded, 1)


def test_a_pinned_tape_is_flown_as_it_is(tmp_path: Path) -> None:
    """`world.tape` gives the same hash; a tape of another scenario is refused."""
    plan = build_plan(load_scenario("string_of_three"), 1)
    plan.tape.save(tmp_path / "mine.tape")
    setting = {"world.tape": str(tmp_path / "mine.tape")}
    assert build_plan(load_scenario("string_of_three", setting), 1).tape.hash() == plan.tape.hash()
    with pytest.raises(ConfigError, match="the tape has"):
        build_plan(load_scenario("three_body", setting), 1)


def test_missing_files_are_a_trouble_of_the_machine() -> None:
    """All of them are named."""
    loaded = load_scenario("three_body", {"world.tape": "no.tape", "payload.image": "no.tif"})
    with pytest.raises(InfrastructureError, match=r"no\.tape[\s\S]*no\.tif"):
        build_plan(loaded, 1)


def test_an_image_that_is_none_is_refused(tmp_path: Path) -> None:
    """With the key that names it."""
    (tmp_path / "my.tif").write_bytes(b"no image")
    loaded = load_scenario("three_body", {"payload.image": str(tmp_path / "my.tif")})
    with pytest.raises(ConfigError, match=r"payload\.image"):
        build_plan(loaded, 1)


def test_a_users_contact_plan_takes_the_place_of_ours(tmp_path: Path) -> None:
    """Its rows are the station contacts; every bad row is named."""
    file = tmp_path / "plan.csv"
    file.write_text("node_a_id,node_b_id,start_s,stop_s,rate_bps\n2,1001,40,200,1000000\n", encoding="utf-8")
    loaded = load_scenario("string_of_three", {"stations.contact_plan": str(file)})
    content = dict(build_plan(loaded, 1).tables[1])["contact_plan"]
    plan = msgspec.msgpack.decode(content, type=ContactPlan)
    passes = [contact for contact in plan.contacts if contact.node_b_id == 1001 and contact.node_a_id < 1000]
    assert [(contact.node_a_id, contact.rate_bps) for contact in passes] == [(2, 1_000_000)]
    file.write_text(
        "node_a_id,node_b_id,start_s,stop_s,rate_bps\n2,1001,x,200,1\n9,1001,40,20,1\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        build_plan(loaded, 1)
    assert len(caught.value.faults) == 2


def test_tai_of_known_times() -> None:
    """The CCSDS epoch of 1958, and the leap seconds of 1972 and 2017."""
    assert tai_ns_of_utc("1972-01-01T00:00:00Z") == (5_113 * 86_400 + 10) * NS_PER_S
    assert tai_ns_of_utc("2026-03-20T12:00:00+00:00") % (86_400 * NS_PER_S) == (43_200 + 37) * NS_PER_S
    from datetime import UTC, datetime

    assert tai_minus_utc_s(datetime(2016, 12, 31, tzinfo=UTC)) == 36
    assert tai_minus_utc_s(datetime(2017, 1, 1, tzinfo=UTC)) == 37
    with pytest.raises(ValueError, match="1972"):
        tai_ns_of_utc("1971-12-31T23:59:59Z")
