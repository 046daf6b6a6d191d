"""SECDED(72,64): 8 check bits for 64 data bits; any one wrong bit is corrected, any two are detected.

The code is that of Hsiao (1970), its columns stated in native/include/flightos_kernels_protection.h. words is
uint64 of any shape, checks uint8 of the same shape; `view(np.uint64)` makes words of any memory of a multiple
of 8 bytes. Raises TypeError for a wrong dtype and KernelError for the rest, before anything is written.
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

Words = NDArray[np.uint64]
Checks = NDArray[np.uint8]


class SecdedFaults(NamedTuple):
    """Single wrong bits among data and among check bits, and words with more than can be corrected."""

    data_bit_count: int
    check_bit_count: int
    lost_word_count: int
    first_lost_word_index: int | None


def encode(words: Words, out: Checks | None = None) -> Checks:
    """Give the check byte of each word."""
    check_array("words", words, np.uint64)
    checks = np.empty(words.shape, np.uint8) if out is None else out
    check_output("out", checks, np.uint8, words.shape, words)
    if backend() == "numpy":
        reference.secded_encode(words, checks)
    else:
        call(_lib.fos_secded_encode, read(words), write(checks), words.size)
    return checks


def check(words: Words, checks: Checks) -> SecdedFaults:
    """Count what is wrong and change nothing."""
    check_array("words", words, np.uint64)
    check_array("checks", checks, np.uint8, words.shape)
    if backend() == "numpy":
        return SecdedFaults(*reference.secded_check(words, checks))
    faults = struct("fos_secded_faults_t")
    call(_lib.fos_secded_check, read(words), read(checks), words.size, faults)
    return _faults(faults)


def scrub(words: Words, checks: Checks) -> SecdedFaults:
    """Correct every word that has one wrong bit, in place; lost words are counted and left as they are."""
    check_array("words", words, np.uint64)
    check_output("words", words, np.uint64, words.shape, checks)
    check_output("checks", checks, np.uint8, words.shape, words)
    if backend() == "numpy":
        return SecdedFaults(*reference.secded_scrub(words, checks))
    faults = struct("fos_secded_faults_t")
    call(_lib.fos_secded_scrub, write(words), write(checks), words.size, faults)
    return _faults(faults)


def _faults(faults: object) -> SecdedFaults:
    data_bits, check_bits, lost, first = (int(getattr(faults, name)) for name in SecdedFaults._fields)
    return SecdedFaults(data_bits, check_bits, lost, first if lost else None)
