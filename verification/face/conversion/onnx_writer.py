"""The few ONNX messages that our two networks need, written as protocol buffers by hand.

Field numbers are those of ``onnx.proto`` (ONNX IR version 8). Fields are written in ascending
order, so the same graph is always the same bytes and its sha256 can be pinned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

IR_VERSION = 8
OPSET_VERSION = 13
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_ATTRIBUTE_INT, _ATTRIBUTE_INTS = 2, 7  # AttributeProto.AttributeType

Shape = Sequence[int | str]
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.int64]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _bytes(tag: int, value: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(value)) + value


def _text(tag: int, value: str) -> bytes:
    return _bytes(tag, value.encode("ascii"))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    numbers = b"".join(_number(8, item) for item in value)
    return _text(1, name) + numbers + _number(20, _ATTRIBUTE_INTS)


def _tensor(name: str, array: Numbers) -> bytes:
    kind = _FLOAT if array.dtype == np.float32 else _INT64
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    dimensions = b"".join(_number(1, size) for size in array.shape)
    return dimensions + _number(2, kind) + _text(8, name) + _bytes(9, raw)


def _value_info(name: str, shape: Shape) -> bytes:
    dimensions = b"".join(
        _bytes(1, _number(1, size) if isinstance(size, int) else _text(2, size)) for size in shape
    )
    tensor_type = _number(1, _FLOAT) + _bytes(2, dimensions)
    return _text(1, name) + _bytes(2, _bytes(1, tensor_type))


@dataclass
class Graph:
    """A network being written: nodes in order of execution and the constants they use."""

    name: str
    _nodes: list[bytes] = field(default_factory=list)
    _constants: list[bytes] = field(default_factory=list)

    def constant(self, name: str, array: Numbers) -> str:
        """Add a constant tensor; the name is returned for use as an input."""
        self._constants.append(_tensor(name, array))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> str:
        """Add an operator with one output; the output's name is returned."""
        parts = [_text(1, name) for name in inputs]
        parts += [_text(2, output), _text(4, kind)]
        parts += [_bytes(5, _attribute(name, attributes[name])) for name in sorted(attributes)]
        self._nodes.append(b"".join(parts))
        return output

    def model(self, source: tuple[str, Shape], result: tuple[str, Shape], producer: str = "") -> bytes:
        """The complete model file with one float input and one float output."""
        graph = b"".join(_bytes(1, node) for node in self._nodes)
        graph += _text(2, self.name)
        graph += b"".join(_bytes(5, constant) for constant in self._constants)
        graph += _bytes(11, _value_info(*source)) + _bytes(12, _value_info(*result))
        made_by = _text(2, producer) if producer else b""
        opset = _text(1, "") + _number(2, OPSET_VERSION)
        return _number(1, IR_VERSION) + made_by + _bytes(7, graph) + _bytes(8, opset)
