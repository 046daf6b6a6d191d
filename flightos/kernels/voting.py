"""Triple modular redundancy: what two of three copies say, and which copy was wrong how often.

Copies are uint8 arrays of one shape, C-ordered and apart in memory; `view(np.uint8)` makes one of any array.
Raises TypeError for a wrong dtype and KernelError for the rest, before anything is written.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import backend
from flightos.kernels import reference_protection as reference
from flightos.kernels.arguments import check_array, check_output
from flightos.kernels.foreign import call, read, struct, write

if backend() == "c":
    from flightos._fos import lib as _lib

Bytes = NDArray[np.uint8]


class VoteFaults(NamedTuple):
    """Bits of each copy that the other two outvoted."""

    first_bit_count: int
    second_bit_count: int
    third_bit_count: int


def vote(first: Bytes, second: Bytes, third: Bytes, out: Bytes | None = None) -> tuple[Bytes, VoteFaults]:
    """Give the bitwise majority of three copies, and the faults of each."""
    check_array("first", first, np.uint8)
    check_array("second", second, np.uint8, first.shape)
    check_array("third", third, np.uint8, first.shape)
    voted = np.empty(first.shape, np.uint8) if out is None else out
    check_output("out", voted, np.uint8, first.shape, first, second, third)
    if backend() == "numpy":
        return voted, VoteFaults(*reference.vote(first, second, third, voted))
    faults = struct("fos_vote_faults_t")
    call(_lib.fos_vote, read(first), read(second), read(third), write(voted), first.size, faults)
    return voted, _faults(faults)


def scrub(first: Bytes, second: Bytes, third: Bytes) -> VoteFaults:
    """Make all three copies their majority, in place; memory without a fault is not written."""
    check_array("first", first, np.uint8)
    check_output("first", first, np.uint8, first.shape, second, third)
    check_output("second", second, np.uint8, first.shape, first, third)
    check_output("third", third, np.uint8, first.shape, first, second)
    if backend() == "numpy":
        return VoteFaults(*reference.vote_scrub(first, second, third))
    faults = struct("fos_vote_faults_t")
    call(_lib.fos_vote_scrub, write(first), write(second), write(third), first.size, faults)
    return _faults(faults)


def _faults(faults: object) -> VoteFaults:
    return VoteFaults(*(int(getattr(faults, name)) for name in VoteFaults._fields))
