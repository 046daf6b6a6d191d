"""The C module as Python sees it; native/cffi/kernels.cdef.h declares what `lib` holds."""

from typing import Any

ffi: Any
lib: Any
