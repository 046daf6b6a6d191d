"""flightos, the operating system of a computing constellation.

The environment variable FLIGHTOS_KERNELS chooses the kernels for the whole process, before anything else is
imported: `numpy` hides the C module, so that the NumPy references serve exactly as on a machine where it was
never built; `c` refuses to start without it; unset takes the C module where there is one. It is read here and
nowhere else, because flight logic does not look at its environment.
"""

import os
import sys

__version__ = "0.1.0"

_kernels_wanted = os.environ.get("FLIGHTOS_KERNELS", "")
if _kernels_wanted not in ("", "c", "numpy"):
    raise ImportError(f"FLIGHTOS_KERNELS is {_kernels_wanted!r}; it must be 'c' or 'numpy'")
if _kernels_wanted == "numpy":
    sys.modules["flightos._fos"] = None  # type: ignore[assignment]  # any import of it now fails like a missing one
elif _kernels_wanted == "c":
    import flightos._fos  # noqa: F401  # fails here, loudly, rather than fall back
