"""A scenario file with mistakes: all of them at once, each where it stands, with the nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from flightos.core.errors import ConfigError, InfrastructureError
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import FOLDER, known_scenarios, load_scenario

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))


def faults_of(name: str, overrides: dict[str, str] | None = None) -> list[str]:
    """The faults that loading lists."""
    with pytest.raises(ConfigError) as caught:
        load_scenario(name, overrides)
    return list(caught.value.faults)


def written(tmp_path: Path, text: str) -> str:
    """A scenario file with this text."""
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_loads_and_asks_a_question(name: str) -> None:
    """Shipped files have no faults and say what they are for."""
    loaded = load_scenario(name)
    assert loaded.name == name
    assert loaded.scenario.question.endswith("?")


def test_the_issues_scenario_is_what_was_asked_for() -> None:
    """Twelve satellites, 5,000 TOPS with 744 on the best, five imagers, sixteen tiles in bursts of four."""
    scenario = load_scenario("three_body").scenario
    assert sum(scenario.compute.rate_tops) == 5_000
    assert max(scenario.compute.rate_tops) == 744
    assert len(scenario.payload.imagers) == 5
    assert sorted({burst.satellite for burst in scenario.payload.bursts}) == sorted(scenario.payload.imagers)
    tiles_at: dict[float, int] = {}
    for burst in scenario.payload.bursts:
        tiles_at[burst.at_s] = tiles_at.get(burst.at_s, 0) + len(burst.tiles)
    assert list(tiles_at.values()) == [4, 4, 4, 4]
    assert max(tiles_at) <= 1_200.0


def test_all_faults_of_a_file_are_listed_with_their_lines(tmp_path: Path) -> None:
    """Wrong type, unknown key, out of range, unknown fault kind and a broken relation in one go."""
    file = written(
        tmp_path,
        """duration_s = "long"
topology = "rung"

[constellation]
satelite_count = 4

[power]
soc_ratio_start = 1.5

[payload]
imagers = [1, 40]

[[faults]]
kind = "node_crush"
node = 1
at_s = 1.0
""",
    )
    faults = faults_of(file)
    expected = {
        1: "duration_s: expected a valid integer, found 'long'",
        2: "topology: expected 'ring' or 'string', found 'rung'; did you mean 'ring'?",
        5: "constellation.satelite_count: unknown key; did you mean 'satellite_count'?",
        8: "power.soc_ratio_start: expected less than or equal to 1, found 1.5",
        11: "payload.imagers.1: expected a satellite of 1..12, found 40",
        14: "faults.0.kind: unknown kind 'node_crush'; did you mean 'node_crash'?",
    }
    assert sorted(faults) == sorted(f"{file}:{line}: {text}" for line, text in expected.items())


def test_an_unknown_scenario_gets_the_list_of_known_ones() -> None:
    """With the nearest name first."""
    (fault,) = faults_of("three_bdy")
    assert "did you mean 'three_body'?" in fault
    assert all(name in fault for name in known_scenarios())


def test_bad_syntax_names_the_line(tmp_path: Path) -> None:
    """What is no TOML at all."""
    (fault,) = faults_of(written(tmp_path, "duration_s = = 3\n"))
    assert "mine.toml: not TOML" in fault
    assert "line 1" in fault


def test_a_file_extends_another_and_its_keys_win(tmp_path: Path) -> None:
    """Tables merge, values and arrays are replaced."""
    file = written(
        tmp_path, 'extends = "three_body"\n[power]\nbus_w = 99.0\n[payload]\nbursts = []\n[criteria]\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_scenario(file)
    assert "criteria.products_min" in str(
        caught.value
    )  # nothing is imaged now, so sixteen products cannot come
    changes = {"criteria.products_min": "0", "criteria.reference_exact": "false"}
    scenario = load_scenario(file, changes).scenario
    assert scenario.power.bus_w == 99.0
    assert scenario.power.array_w == 700.0
    assert scenario.payload.bursts == []


def test_a_fault_in_an_extended_file_is_found_where_it_stands(tmp_path: Path) -> None:
    """Each key remembers its own file."""
    (tmp_path / "base.toml").write_text("[power]\nbus_w = -1.0\n", encoding="utf-8")
    faults = faults_of(written(tmp_path, 'extends = "base.toml"\n[heat]\nemissivity = 2.0\n'))
    assert [fault.partition(": ")[0] for fault in sorted(faults)] == [
        f"{tmp_path}/base.toml:2",
        f"{tmp_path}/mine.toml:3",
    ]


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    """A circle ends at the limit."""
    (fault,) = faults_of(written(tmp_path, 'extends = "mine.toml"\n'))
    assert "expected at most" in fault


def test_overrides_are_checked_like_the_file() -> None:
    """Unknown keys, wrong types and broken relations, each named by its option."""
    faults = faults_of(
        "three_body",
        {
            "compute.rate_topz": "[1]",
            "links.laser_rate_bps": "fast",
            "payload.bursts.1.satellite": "99",
            "payload.bursts.9.satellite": "1",
        },
    )
    assert faults == [
        "--set payload.bursts.9.satellite: expected an index of 0..4 at 'payload.bursts.9', found 9"
    ]
    faults = faults_of("three_body", {"compute.rate_topz": "[1]", "payload.bursts.1.satellite": "99"})
    assert sorted(faults) == [
        "--set compute.rate_topz: unknown key; did you mean 'rate_tops'?",
        "--set payload.bursts.1.satellite: expected one of payload.imagers = [2, 4, 7, 9, 11], found 99",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("my.tif", "my.tif"), ('"my.tif"', "my.tif"), ("/a/b c.tif", "/a/b c.tif")],
)
def test_bare_text_of_an_override_is_a_string(text: str, value: str) -> None:
    """TOML quotes are not asked for where the shell would eat them."""
    assert load_scenario("three_body", {"payload.image": text}).scenario.payload.image == value


def test_an_override_of_an_array_entry() -> None:
    """Indices work in dotted keys."""
    loaded = load_scenario("three_body", {"payload.bursts.0.at_s": "90.5", "compute.rate_tops": "[400]"})
    assert loaded.scenario.payload.bursts[0].at_s == 90.5
    assert loaded.scenario.compute.rate_tops == [400]


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"power.soc_ratio_start": "0.5"}, "soc_ratio_start"),
        ({"heat.temperature_k_start": "340"}, "temperature_k_start"),
        ({"payload.bursts.1.tiles": "[0]"}, "tiles"),
        ({"payload.bursts.1.tiles": "[99]"}, "tiles"),
        ({"compute.rate_tops": "[1, 2]"}, "rate_tops"),
        ({"stations.names": '["Troll", "Troll"]'}, "names"),
        ({"constellation.epoch_utc": "2026-03-20T12:00:00"}, "epoch_utc"),
        (
            {"faults": '[{kind = "link_outage", node_a = 1, node_b = 3, start_s = 1.0, stop_s = 2.0}]'},
            "node_b",
        ),
        (
            {"faults": '[{kind = "link_outage", node_a = 1, node_b = 2, start_s = 2.0, stop_s = 2.0}]'},
            "stop_s",
        ),
        ({"faults": '[{kind = "kernel_hang", node = 13, at_s = 1.0}]'}, "node"),
        ({"criteria.products_min": "17"}, "products_min"),
    ],
)
def test_relations_between_keys_hold(overrides: dict[str, str], key: str) -> None:
    """Each broken relation is one fault on its key (others may follow from it)."""
    assert any(f"{key}: expected" in fault for fault in faults_of("three_body", overrides))


def test_an_element_file_replaces_the_plane(tmp_path: Path) -> None:
    """The number of satellites is that of the file; a broken line is named."""
    from sil.world.elements import PlaneConfig, plane_elements

    lines = [line for one in plane_elements(PlaneConfig()) for line in (one.name, one.line1, one.line2)]
    (tmp_path / "ring.tle").write_text("\n".join(lines) + "\n", encoding="utf-8")
    loaded = load_scenario("three_body", {"world.elements": str(tmp_path / "ring.tle")})
    assert loaded.satellite_count == 12
    broken = "\n".join(lines).replace("0000001", "0000002", 1)
    (tmp_path / "ring.tle").write_text(broken, encoding="utf-8")
    assert any(
        "checksum" in fault
        for fault in faults_of("three_body", {"world.elements": str(tmp_path / "ring.tle")})
    )


def test_mistakes_of_every_kind_are_listed_together(tmp_path: Path) -> None:
    """Unknown keys, an app, bands, a missing file and a topology that the orbits do not carry: one message."""
    file = written(
        tmp_path,
        """extends = "three_body"
[constellation]
spacing_deg = 20.0
[stations]
contact_plan = "none.csv"
[payload]
app = "surface_wach"
bands = ["blue", "green", "red", "nir", "swir1", "swirl"]
[power]
buss_w = 1.0
""",
    )
    faults = "\n".join(faults_of(file))
    for part in (
        "power.buss_w: unknown key; did you mean 'bus_w'?",
        "payload.app: unknown app 'surface_wach'",
        "stations.contact_plan: no such file",
        "topology: ",
    ):
        assert part in faults, faults
    unnamed = written(
        tmp_path, Path(file).read_text().replace("[power]\nbuss_w = 1.0\n", "").replace("wach", "watch")
    )
    with pytest.raises(ConfigError) as caught:
        build_plan(load_scenario(unnamed), seed=1)
    faults = "\n".join(caught.value.faults)
    for part in ("swirl", "stations.contact_plan: no such file", "topology: "):
        assert part in faults, faults


def test_a_missing_file_alone_is_trouble_of_the_host() -> None:
    """Nothing is wrong with what was said: status 3, not 2."""
    with pytest.raises(InfrastructureError, match="no such file"):
        build_plan(load_scenario("string_of_three", {"stations.contact_plan": "none.csv"}), seed=1)
