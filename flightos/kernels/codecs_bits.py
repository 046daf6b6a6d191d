"""Bit strings as text of '0' and '1': what the plain references of the codecs read and write. Slow and plain."""

from __future__ import annotations

from flightos.kernels import KernelError


class BitWriter:
    """Collects bits, highest first."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.bit_count = 0

    def put(self, value: int, width: int) -> None:
        """Append the lowest `width` bits of `value`."""
        if width:
            self._append(format(value & ((1 << width) - 1), f"0{width}b"))

    def put_unary(self, zero_count: int) -> None:
        """Append zeros and a one: a fundamental sequence."""
        self._append("0" * zero_count + "1")

    def pad_to(self, unit_bits: int) -> None:
        """Append zeros up to a whole number of units."""
        self._append("0" * (-self.bit_count % unit_bits))

    def to_bytes(self) -> bytes:
        """Give all bits, the last byte filled with zeros."""
        self.pad_to(8)
        text = "".join(self._parts)
        return int(text or "0", 2).to_bytes(len(text) // 8, "big")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self.bit_count += len(text)


class BitReader:
    """Gives bits out again. Raises KernelError(FOS_ERR_CORRUPT) at the end."""

    def __init__(self, data: bytes) -> None:
        self._text = format(int.from_bytes(data, "big"), f"0{8 * len(data)}b") if data else ""
        self.position = 0

    def take(self, width: int) -> int:
        """Give the next `width` bits as a number."""
        end = self.position + width
        if end > len(self._text):
            raise KernelError("FOS_ERR_CORRUPT", "the code ends too early")
        text = self._text[self.position : end]
        self.position = end
        return int(text or "0", 2)

    def take_unary(self) -> int:
        """Give the number of zeros before the next one, and pass that one."""
        end = self._text.find("1", self.position)
        if end < 0:
            raise KernelError("FOS_ERR_CORRUPT", "the code ends too early")
        zero_count = end - self.position
        self.position = end + 1
        return zero_count

    def zeros_ahead(self, zero_count: int) -> bool:
        """Say whether the next `zero_count` bits are all 0 (bits beyond the end are not)."""
        return self._text.startswith("0" * zero_count, self.position)

    def skip_to_byte(self) -> None:
        """Pass what is left of the current byte."""
        self.position += -self.position % 8
