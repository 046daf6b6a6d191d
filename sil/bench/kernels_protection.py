"""The protection kernels, each against its peer and against the limits of this core.

One thread; times are medians of that thread's CPU time over alternating rounds; rates count every byte read
and written unless the row says "data". Buffers are larger than the caches, as images on board are. Where NumPy is the
peer it is written as its documentation teaches, and where tuning it by hand gains much, the tuned form has a row too.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import crc, erasure, isa_name, secded, voting
from flightos.kernels.frames import crc32c_batch
from sil.bench import machine_limits
from sil.bench.kernel_rows import (
    MIB,
    SEED,
    Peers,
    Work,
    kernel_row,
    rate_row,
    rows_against,
    share_row,
    with_peer,
)
from sil.bench.machine_limits import Limits
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.timing import Action

FRAME_BYTES = 1024
TUNED_BLOCK_WORDS = 1 << 14


def random_bytes(*shape: int) -> NDArray[np.uint8]:
    """The same bytes in every run."""
    return np.random.default_rng(SEED).integers(0, 256, shape, np.uint8)


def crcs(rounds: int, limits: Limits) -> Iterator[Row]:
    """CRC-32C over 64 MiB and over frames of a kilobyte; CRC-16."""
    data = random_bytes(64 * MIB)
    as_bytes = data.tobytes()
    frames = np.arange(0, 4 * MIB, FRAME_BYTES, dtype=np.uint64)
    spans = np.stack((frames, np.full_like(frames, FRAME_BYTES)), axis=1)
    pieces = [as_bytes[int(start) : int(start) + FRAME_BYTES] for start in frames]
    peers: Peers = {}
    frame_peers: Peers = {}
    package, missing = with_peer("kernel_crc32c", "crc32c", ">= 0.9")
    yield from missing
    if package is not None:
        peers["crc32c"] = (lambda: package.crc32c(data), ">= 0.9")
        frame_peers["crc32c a frame"] = (lambda: [package.crc32c(piece) for piece in pieces], None)
    google, missing = with_peer("kernel_crc32c_vs_google_crc32c", "google_crc32c", ">= 2")
    yield from missing
    if google is not None:
        peers["google crc32c"] = (lambda: google.value(as_bytes), ">= 2")
    work = Work(data.size, at_least={"read": data.size})
    rows = list(rows_against("kernel_crc32c", work, lambda: crc.crc32c(data.data), peers, limits, rounds))
    yield from rows
    # The level avx512 folds instead.
    has_instruction = limits.crc and isa_name() != "avx512"
    bound = f"the CRC instruction alone reaches {limits.crc:.3g} GB/s" if has_instruction else ""
    yield share_row(rows[0], ">= 0.7", bound)
    frame_work = Work(4 * MIB, at_least={"read": 4 * MIB})
    own_frames: Action = lambda: crc32c_batch(data, spans)  # noqa: E731
    yield from rows_against("kernel_crc32c_frames_1k", frame_work, own_frames, frame_peers, limits, rounds)
    part = data[: 4 * MIB]
    small: Peers = {"binascii": (lambda: crc_hqx(part.data, 0xFFFF), None)}
    fast, missing = with_peer("kernel_crc16_vs_fastcrc", "fastcrc", None)
    yield from missing
    if fast is not None:
        part_bytes = part.tobytes()
        small["fastcrc"] = (lambda: fast.crc16.ibm_3740(part_bytes), None)
    short = Work(part.size, at_least={"read": part.size})
    yield from rows_against("kernel_crc16", short, lambda: crc.crc16(part.data), small, limits, rounds)


def votes(rounds: int, limits: Limits) -> Iterator[Row]:
    """The majority of three copies of 32 MiB with a few upsets; the peer is NumPy without temporaries, and counts
    no faults."""
    first = random_bytes(32 * MIB)
    second, third, out, spare = first.copy(), first.copy(), np.empty_like(first), np.empty_like(first)
    second[:: 4 * MIB] ^= 1

    def peer() -> None:
        np.bitwise_or(first, second, out=spare)
        np.bitwise_and(spare, third, out=spare)
        np.bitwise_and(first, second, out=out)
        np.bitwise_or(out, spare, out=out)

    contenders: dict[str, Action] = {"own": lambda: voting.vote(first, second, third, out), "numpy": peer}
    taken, limits = machine_limits.cpu_s_beside(
        limits, ("triad", limits.hardest("triad")), contenders, rounds
    )
    byte_count = 4 * first.size
    work = Work(byte_count, at_least={limits.hardest("triad"): byte_count})
    yield kernel_row("kernel_vote", work, taken, limits, ">= 2.3", peer_counts_faults="no")
    plain = Work(byte_count, at_least={"triad": byte_count})
    yield share_row(kernel_row("kernel_vote", plain, taken, limits), ">= 0.9")
    scrubbed = Work(3 * first.size, at_least={"read": 3 * first.size})
    own: Action = lambda: voting.scrub(first, second, third)  # noqa: E731

    def peer_scrub() -> None:
        peer()
        for copy in (first, second, third):
            np.copyto(copy, out)

    yield from rows_against("kernel_vote_scrub", scrubbed, own, {"numpy": (peer_scrub, None)}, limits, rounds)


def check_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Check bytes of every byte at each of 8 places of a word, and of every 16 bits at each of 4: asked of the code."""
    values = np.arange(256, dtype=np.uint64)
    by_byte = np.stack([secded.encode(values << np.uint64(8 * place)) for place in range(8)])
    wide = np.arange(65536, dtype=np.uint64)
    by_half = np.stack([secded.encode(wide << np.uint64(16 * place)) for place in range(4)])
    return by_byte, by_half


def words(rounds: int, limits: Limits) -> Iterator[Row]:
    """SECDED over 32 MiB of data. The peer gathers from a table for each byte; tuned, from tables of 16 bits, a block
    at a time. To find wrong words it gathers and compares; it corrects nothing."""
    data = random_bytes(32 * MIB).view(np.uint64)
    checks = np.empty(data.size, np.uint8)
    by_byte, by_half = check_tables()
    parts, halves = data.view(np.uint8).reshape(-1, 8), data.view(np.uint16).reshape(-1, 4)

    def gathered() -> NDArray[np.uint8]:
        total: NDArray[np.uint8] = by_byte[0][parts[:, 0]]
        for place in range(1, 8):
            total ^= by_byte[place][parts[:, place]]
        return total

    def tuned() -> NDArray[np.uint8]:
        whole = np.empty(data.size, np.uint8)
        for first in range(0, data.size, TUNED_BLOCK_WORDS):
            block = halves[first : first + TUNED_BLOCK_WORDS]
            total = by_half[0][block[:, 0]]
            for place in range(1, 4):
                total ^= by_half[place][block[:, place]]
            whole[first : first + TUNED_BLOCK_WORDS] = total
        return whole

    secded.encode(data, checks)
    work = Work(data.nbytes, "GB/s data", at_least={"read": data.nbytes + data.size})
    encoders: Peers = {"numpy": (gathered, ">= 20"), "tuned numpy": (tuned, ">= 20")}
    finders: Peers = {
        "numpy": (lambda: np.flatnonzero(gathered() != checks), ">= 20"),
        "tuned numpy": (lambda: np.flatnonzero(tuned() != checks), ">= 20"),
    }
    for name, own, peers in (
        ("kernel_secded_encode", lambda: secded.encode(data, checks), encoders),
        ("kernel_secded_scrub", lambda: secded.scrub(data, checks), finders),
    ):
        rows = list(rows_against(name, work, own, peers, limits, rounds))
        yield from rows
        yield rate_row(rows[0], ">= 3")


def shards(rounds: int, limits: Limits) -> Iterator[Row]:
    """Erasure code 8 + 4 over 8 MiB of data, with all four parities needed to decode; parity of eight by XOR."""
    data = random_bytes(8, MIB)
    parity = erasure.encode(data, 4)
    is_present = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], np.uint8)
    encoders: Peers = {}
    decoders: Peers = {}
    zfec, missing = with_peer("kernel_erasure_encode", "zfec", ">= 10", "GB/s data")
    yield from missing
    if zfec is not None:
        blocks = [row.tobytes() for row in data]
        encoder, decoder = zfec.Encoder(8, 12), zfec.Decoder(8, 12)
        coded = encoder.encode(blocks)
        encoders["zfec"] = (lambda: encoder.encode(blocks), ">= 10")
        decoders["zfec"] = (lambda: decoder.decode(coded[4:], list(range(4, 12))), ">= 10")
    work = Work(data.size, "GB/s data", at_least={limits.hardest("copy"): data.size + parity.size})
    for name, own, peers in (
        ("kernel_erasure_encode", lambda: erasure.encode(data, 4, parity), encoders),
        ("kernel_erasure_restore", lambda: erasure.restore(data, parity, is_present), decoders),
    ):
        rows = list(rows_against(name, work, own, peers, limits, rounds))
        yield from rows
        yield rate_row(rows[0], ">= 4")
    wide = random_bytes(8, 8 * MIB)  # past the caches, so that the limit means something
    out = np.empty(wide.shape[1], np.uint8)
    yield from rows_against(
        "kernel_xor_parity",
        Work(wide.size + out.size, at_least={"read": wide.size + out.size}),
        lambda: erasure.xor_parity(wide, out),
        {"numpy": (lambda: np.bitwise_xor.reduce(wide, axis=0, out=out), None)},
        limits,
        rounds,
    )


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    rounds = 3 if options.is_quick else 9
    limits = machine_limits.measured(rounds)
    for group in (crcs, votes, words, shards):
        yield from group(rounds, limits)
