"""Let an upset hit the kernel library itself: flip a bit of its tables, notice it, fill them anew.

    python examples/own_tables.py --out pictures

All state of the library is a table of functions and a few look-up tables; they carry checksums, which a node verifies
between tasks. Here a bit of the CRC-32C table is flipped where it lies in this process's memory, which Linux shows as
/proc/self/mem. CRC-32C is computed at the level `portable`, the one that looks it up.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from pictures import GREEN, INK, RED, RULE, Example, image_axes, keys, new_figure

from flightos.kernels import backend, isa_name
from flightos.kernels.crc import crc32c
from flightos.kernels.dispatch import is_dispatch_intact, renew_dispatch, select_isa

CHECK_TEXT: Final = b"123456789"
CHECK_CRC: Final = 0xE3069283
TABLE_START: Final = struct.pack("<4I", 0x00000000, 0xF26B8303, 0xE13B70F7, 0x1350F3F4)
TABLE_BYTES: Final = 1_024
HIT_ENTRY: Final = (crc32c(CHECK_TEXT[:-1]) ^ 0xFFFFFFFF ^ CHECK_TEXT[-1]) & 0xFF
"""The entry that the last digit looks up, so that the upset shows in the CRC."""
HIT_BIT: Final = 12
MEMORY: Final = Path("/proc/self/mem")


def find_table() -> int | None:
    """Give the address of the CRC-32C table in the memory that the C module may write."""
    end_of_module = None
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, access, *_ = line.split()
        first, last = (int(address, 16) for address in span.split("-"))
        if (
            "_fos" in line or first == end_of_module
        ):  # its zeroed memory follows the mapped file without a name
            end_of_module = last
            if access.startswith("rw"):
                with MEMORY.open("rb", buffering=0) as memory:
                    memory.seek(first)
                    place = memory.read(last - first).find(TABLE_START)
                if place >= 0:
                    return first + place
    return None


def flip_bit(address: int) -> Any:
    """Flip the bit in the table at an address; give the table's bits, shape (32, 256), with 2 where it was hit."""
    with MEMORY.open("r+b", buffering=0) as memory:
        memory.seek(address)
        entries = np.frombuffer(memory.read(TABLE_BYTES), "<u4").copy()
        entries[HIT_ENTRY] ^= np.uint32(1 << HIT_BIT)
        memory.seek(address)
        memory.write(entries.tobytes())
    bits = (entries >> np.arange(32, dtype=np.uint32)[:, None]) & 1
    bits[HIT_BIT, HIT_ENTRY] = 2
    return bits


def main(arguments: Sequence[str] | None = None) -> int:
    """Flip, notice, renew, draw."""
    example = Example(__doc__, arguments)
    if backend() != "c" or not MEMORY.exists():
        example.say("NOTHING TO HIT: the C kernels are not in use, or this is not Linux")
        return 0
    level = isa_name()
    select_isa("portable")
    address = find_table()
    assert address is not None, "the table lies in the writable memory of the module"
    is_right = is_dispatch_intact() and crc32c(CHECK_TEXT) == CHECK_CRC
    example.check(
        is_right, f"before: the tables fit their checksums, CRC-32C of 123456789 is 0x{CHECK_CRC:08X}"
    )
    bits = flip_bit(address)
    hit_crc, is_noticed = crc32c(CHECK_TEXT), not is_dispatch_intact()
    example.say(f"bit {HIT_BIT} of entry {HIT_ENTRY} flipped: the CRC is now 0x{hit_crc:08X}")
    example.check(is_noticed and hit_crc != CHECK_CRC, "the checksum of the tables tells")
    renew_dispatch()
    is_right = is_dispatch_intact() and crc32c(CHECK_TEXT) == CHECK_CRC
    example.check(is_right, f"renewed from code: the tables fit again, the CRC is 0x{CHECK_CRC:08X}")
    select_isa(level)
    draw(example, bits, hit_crc)
    return example.status()


def draw(example: Example, bits: Any, hit_crc: int) -> None:
    """The table with the bit that was hit, and the three values of the CRC."""
    figure = new_figure(
        "An upset inside the kernel library, noticed and undone",
        "The CRC-32C table as it lies in memory: 256 entries, one a column, of 32 bits. One bit is flipped.",
        9.8,
        2.6,
    )
    axes = image_axes(
        figure.subplots(), f"bit {HIT_BIT} of entry {HIT_ENTRY}, found by the checksum of the tables"
    )
    axes.imshow(bits, cmap=ListedColormap(["white", RULE, RED]), aspect="auto", interpolation="nearest")
    axes.plot(HIT_ENTRY, HIT_BIT, "o", markersize=15, fillstyle="none", color=RED, markeredgewidth=1.6)
    before = {f"before: CRC-32C of 123456789 is 0x{CHECK_CRC:08X}": INK}
    after = {f"hit: 0x{hit_crc:08X}, noticed": RED, f"renewed: 0x{CHECK_CRC:08X}": GREEN}
    keys(axes, before | after, labelcolor=INK)
    example.save(figure, "own_tables.png")


if __name__ == "__main__":
    sys.exit(main())
