"""Run every example, and so make all pictures of docs/KERNELS.md anew.

    python examples/everything.py --out docs/pictures [--sar gotcha_pass1_hh_az001-004.npz]

Without --sar the radar picture shows made-up reflectors. image_compression.md, written beside the pictures, is the
table of the page.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from pictures import Example

EXAMPLES: Final = (
    "calibration",
    "water_and_burn",
    "clouds",
    "ships_and_fires",
    "sar_focus",
    "image_compression",
    "near_lossless",
    "upsets",
    "lost_shards",
    "matrix_product",
    "own_tables",
    "constellation_sight",
    "contacts",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them in the order of the page; the status is 1 when any of them failed."""
    options = Example(__doc__, arguments, ("sar", "phase history of the Gotcha set (.npz)")).options
    failed = []
    for name in EXAMPLES:
        print(f"--- {name}", flush=True)
        given = ["--out", str(options.out)]
        if name == "sar_focus" and options.sar is not None:
            given += ["--sar", str(options.sar)]
        if import_module(name).main(given) != 0:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "every example holds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
