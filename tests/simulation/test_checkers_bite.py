"""Checkers that cannot fail prove nothing: each is shown a real run with one thing made wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from flightos.apps.surface_watch.product import decode_product, encode_product
from flightos.core.ids import content_id
from flightos.core.time import NS_PER_S
from sil.checkers.contacts import no_frame_over_closed_contact
from sil.checkers.evidence import Evidence
from sil.checkers.products import compare_with_reference, products_are_right
from sil.plan import LinkOutage
from tests.simulation.simulate import Simulated, simulate

pytestmark = pytest.mark.simulation


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A run in which every tile becomes a product."""
    return simulate("string_of_three", 21, 200, tmp_path_factory.mktemp("runs"))


def _with_first_product(flown: Simulated, data: bytes | None, rename: bool = False) -> Evidence:
    first, *others = flown.evidence.products
    name = content_id(data or b"").hex() if rename else first.content_id
    return replace(flown.evidence, products=[first._replace(data=data, content_id=name), *others])


def test_right_products_are_right(flown: Simulated) -> None:
    """All four tiles, exactly."""
    assert len(flown.evidence.products) == 4
    assert products_are_right(flown.evidence) == []


def test_missing_file_and_flipped_bit_are_found(flown: Simulated) -> None:
    """The content id tells."""
    assert "missing" in products_are_right(_with_first_product(flown, None))[0].text
    data = bytearray(flown.evidence.products[0].data or b"")
    data[100] ^= 1
    assert "content id" in products_are_right(_with_first_product(flown, bytes(data)))[0].text


@pytest.mark.parametrize("change", ["mask", "count", "sum", "place"])
def test_well_formed_product_with_wrong_content_is_found(flown: Simulated, change: str) -> None:
    """A product that decodes and has the id of its bytes, but does not say what the image says."""
    product, masks = decode_product(flown.evidence.products[0].data or b"")
    layers = list(product.layers)
    if change == "mask":
        masks = (bytes([masks[0][0] ^ 0x80]) + masks[0][1:], *masks[1:])
    elif change == "count":
        layers[0] = msgspec.structs.replace(layers[0], mask_pixel_count=layers[0].mask_pixel_count + 1)
    elif change == "sum":
        layers[1] = msgspec.structs.replace(layers[1], index_sum_fixed=layers[1].index_sum_fixed + (1 << 20))
    else:
        product = msgspec.structs.replace(product, row_offset=product.row_offset + 1)
    wrong = encode_product(msgspec.structs.replace(product, layers=tuple(layers)), masks)
    faults = [one.text for one in products_are_right(_with_first_product(flown, wrong, rename=True))]
    words = {"mask": "pixels of mask", "count": "counted", "sum": "mean index off", "place": "it covers"}
    assert words[change] in faults[0]


def test_reference_wants_every_tile(flown: Simulated) -> None:
    """Exact with four products, not with three."""
    whole = compare_with_reference(flown.evidence)
    assert whole is not None
    assert whole.is_exact
    assert whole.burn_recall_ratio is not None
    assert whole.burn_recall_ratio > 0.95
    part = compare_with_reference(replace(flown.evidence, products=flown.evidence.products[1:]))
    assert part is not None
    assert (part.is_exact, part.tiles_found) == (False, 3)


def test_frame_over_a_closed_contact_is_found(flown: Simulated) -> None:
    """The same logs, judged as if the link 1-2 had been dark for five seconds: every frame of them is a violation,
    at both ends, and none outside."""
    assert no_frame_over_closed_contact(flown.evidence) == []
    dark = LinkOutage(1, 2, 100 * NS_PER_S, 105 * NS_PER_S)
    judged = replace(flown.evidence, plan=replace(flown.plan, faults=(dark,)))
    found = no_frame_over_closed_contact(judged)
    assert {one.node_id for one in found} == {1, 2}
    times_s = [float(one.text.split("mission ")[1].split(" s")[0]) for one in found if "mission " in one.text]
    assert times_s
    assert all(100.0 < t_s < 105.1 for t_s in times_s)


def test_run_folder_holds_what_it_promises(flown: Simulated, tmp_path: Path) -> None:
    """Private, and readable without the code that made it."""
    path = flown.folder.path
    assert path.stat().st_mode & 0o777 == 0o700
    for name in ("manifest.json", "geometry.json", "scene.npz", "geometry.tape", "trace", "trace.hash"):
        assert (path / name).stat().st_size > 0, name
    assert (path / "trace.hash").read_text().strip() == flown.trace_hash
    assert not list(path.glob("**/.*.partial"))
