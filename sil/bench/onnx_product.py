"""An int8 matrix product as onnxruntime runs it: a model of one MatMulInteger node, written as its protobuf bytes.

The `onnx` package would write the same, and is not needed for ten fields. Field numbers are those of onnx.proto (ONNX
IR version 8, operator set 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

IR_VERSION: Final = 8
OPERATOR_SET: Final = 13
UINT8, INT8, INT32 = 2, 3, 6
"""Element types of TensorProto."""
ZERO_POINT: Final = 128


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protobuf message: a number, or text, bytes or a message inside."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _described(name: str, element_type: int, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, element_type) + field(2, dimensions)))


def _constant(name: str, element_type: int, array: NDArray[Any]) -> bytes:
    shape = b"".join(field(1, size) for size in array.shape)
    return shape + field(2, element_type) + field(8, name) + field(9, array.tobytes())


def product_model(rows: int, weights: NDArray[np.int8], is_shifted: bool) -> bytes:
    """The model of activations (rows, depth) times constant weights (depth, cols), int32.

    Shifted, activations are uint8 with the zero point 128: the same product, for which x86 has the faster
    instruction.
    """
    depth, cols = weights.shape
    given = UINT8 if is_shifted else INT8
    inputs = ("a", "weights", "zero") if is_shifted else ("a", "weights")
    node = b"".join(field(1, name) for name in inputs) + field(2, "product") + field(4, "MatMulInteger")
    graph = field(1, node) + field(2, "product") + field(5, _constant("weights", INT8, weights))
    if is_shifted:
        graph += field(5, _constant("zero", UINT8, np.array(ZERO_POINT, np.uint8)))
    graph += field(11, _described("a", given, (rows, depth)))
    graph += field(12, _described("product", INT32, (rows, cols)))
    return field(1, IR_VERSION) + field(7, graph) + field(8, field(1, "") + field(2, OPERATOR_SET))


class Product:
    """A session on one thread, with input, packed weights and output where they stay."""

    def __init__(
        self, onnxruntime: Any, left: NDArray[np.int8], right_transposed: NDArray[np.int8], is_shifted: bool
    ) -> None:
        weights = np.ascontiguousarray(right_transposed.T)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = product_model(len(left), weights, is_shifted)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        activations = (left.astype(np.int16) + ZERO_POINT).astype(np.uint8) if is_shifted else left
        self._out = onnxruntime.OrtValue.ortvalue_from_numpy(
            np.zeros((len(left), weights.shape[1]), np.int32)
        )
        self._binding = self._session.io_binding()
        self._binding.bind_cpu_input("a", activations)
        self._binding.bind_ortvalue_output("product", self._out)

    def run(self) -> NDArray[np.int32]:
        """Multiply; the result is a view of memory that the next run writes again."""
        self._session.run_with_iobinding(self._binding)
        product: NDArray[np.int32] = self._out.numpy()
        return product
