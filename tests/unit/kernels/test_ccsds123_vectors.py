"""The vectors that the C tests read: written by the plain implementation as it is, and of every kind."""

from __future__ import annotations

from itertools import product

from flightos.kernels.ccsds123.choices import EntropyCoder, LocalSum
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from tests.vectors.kernels.ccsds123_modes import DEPTHS, modes
from tests.vectors.kernels.make_ccsds123 import TARGET, text_of_vectors


def test_the_vectors_are_up_to_date() -> None:
    assert TARGET.read_text() == text_of_vectors()


def test_the_vectors_are_of_every_kind() -> None:
    """Each coder with each local sum and mode, with each depth and sign, kind of limits and of representatives."""
    found = [CCSDS123Parameters.for_image(image, **choices) for image, choices in modes()]
    assert {(given.entropy_coder, given.local_sum, given.is_reduced) for given in found} >= set(
        product(EntropyCoder, LocalSum, (0, 1))
    )
    assert {(given.entropy_coder, given.sample_bits, given.is_signed) for given in found} >= set(
        product(EntropyCoder, DEPTHS, (0, 1))
    )
    assert {(given.entropy_coder, given.error_limits_used) for given in found} >= set(
        product(EntropyCoder, range(4))
    )
    assert {(given.sample_bits, given.error_limits_used) for given in found} >= set(product(DEPTHS, range(4)))
    representatives = {
        (given.entropy_coder, given.representative_bits > 0, given.is_signed) for given in found
    }
    assert representatives == set(product(EntropyCoder, (False, True), (0, 1)))
    assert {given.interleave_bands for given in found} >= {0, 1, 3, 4}
    assert {given.tables_left_out for given in found} >= {0, 1, 2, 4, 8, 16, 31}
