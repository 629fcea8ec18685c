"""dlib's ResNet-v1 face recogniser (CC0) as an ONNX model, batch normalisation folded in.

The layout is the one of dlib's public example ``dnn_face_recognition_ex``: a 7x7 convolution, then
fourteen residual blocks of 32, 64, 128 and 256 filters, then a mean and one matrix.
"""

from __future__ import annotations

import numpy as np

from verification.errors import MalformedDocument
from verification.face.conversion.dlib_archive import Layer, find_layers
from verification.face.conversion.onnx_writer import Graph

# Mean of the training pictures and the scale that dlib applies to 0..255 RGB input.
MEAN_RGB = (122.782, 117.001, 104.298)
SCALE = 1 / 256

INPUT_SIZE = 150
DIMENSIONS = 128
_CONVOLUTIONS = 29
# (filters, blocks, first block halves the picture)
_STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))


def convert_recogniser(encoded: bytes) -> bytes:
    """The ONNX file of ``dlib_face_recognition_resnet_model_v1.dat``; raises MalformedDocument."""
    layers = find_layers(encoded, r"con_\d|affine_\d?|fc_\d")
    return _ResNet(layers).write()


class _ResNet:
    def __init__(self, layers: list[Layer]) -> None:
        self._convolutions = [layer for layer in layers if layer.tag.startswith("con_")]
        self._affines = [layer for layer in layers if layer.tag.startswith("affine_")]
        self._matrices = [layer for layer in layers if layer.tag.startswith("fc_")]
        found = len(self._convolutions), len(self._affines), len(self._matrices)
        if found != (_CONVOLUTIONS, _CONVOLUTIONS, 1):
            raise MalformedDocument(f"recogniser has {found} convolutions, affine layers and matrices")
        self._graph = Graph("dlib_resnet_v1")
        self._used = 0
        self._blocks = 0

    def write(self) -> bytes:
        graph = self._graph
        mean = np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
        graph.node("Sub", ["input", graph.constant("mean", mean)], "x_m")
        graph.node("Mul", ["x_m", graph.constant("sc", np.array([SCALE], np.float32))], "x0")
        name, channels = self._convolution("x0", 3, kernel=7, stride=2, padding=0)
        name = graph.node("Relu", [name], "r_in")
        name = graph.node("MaxPool", [name], "mp", kernel_shape=[3, 3], strides=[2, 2])
        size = 35
        for filters, blocks, halves in _STAGES:
            for block in range(blocks):
                name, size = self._block(name, channels, filters, size, halves and block == 0)
                channels = filters
        graph.node("GlobalAveragePool", [name], "gap")
        graph.node("Flatten", ["gap"], "fl", axis=1)
        matrix = self._matrices[0].numbers.reshape(channels, DIMENSIONS)
        graph.node("MatMul", ["fl", graph.constant("fc_w", matrix)], "embedding")
        shape = ("N", 3, INPUT_SIZE, INPUT_SIZE)
        return graph.model(("input", shape), ("embedding", ("N", DIMENSIONS)), producer="dlib2onnx")

    def _convolution(
        self, source: str, channels: int, *, kernel: int, stride: int, padding: int
    ) -> tuple[str, int]:
        """The next convolution with its affine layer folded into filters and biases."""
        layer, affine = self._convolutions[self._used], self._affines[self._used]
        name = f"c{self._used}"
        self._used += 1
        weights = channels * kernel * kernel
        filters, rest = divmod(len(layer.numbers), weights + 1)
        if rest or len(affine.numbers) != 2 * filters:
            raise MalformedDocument(f"recogniser convolution {name} has an unexpected size")
        numbers = layer.numbers.astype(np.float64)
        gain, offset = affine.numbers.astype(np.float64).reshape(2, filters)
        kernels = numbers[: filters * weights].reshape(filters, channels, kernel, kernel)
        kernels = kernels * gain[:, None, None, None]
        biases = numbers[filters * weights :] * gain + offset
        constants = [
            self._graph.constant(f"{name}_w", kernels.astype(np.float32)),
            self._graph.constant(f"{name}_b", biases.astype(np.float32)),
        ]
        shape = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
        return self._graph.node("Conv", [source, *constants], name, **shape), filters

    def _block(self, source: str, channels: int, filters: int, size: int, halves: bool) -> tuple[str, int]:
        """One residual block: two convolutions beside a short cut."""
        self._blocks += 1
        block, graph = f"b{self._blocks}", self._graph
        stride, padding = (2, 0) if halves else (1, 1)
        name, made = self._convolution(source, channels, kernel=3, stride=stride, padding=padding)
        name = graph.node("Relu", [name], f"{block}_r1")
        name, made = self._convolution(name, made, kernel=3, stride=1, padding=1)
        if made != filters:
            raise MalformedDocument(f"recogniser block {block} has {made} filters")
        long_size, short_size = ((size - 3) // 2 + 1, (size - 2) // 2 + 1) if halves else (size, size)
        larger = max(long_size, short_size)
        short_cut = source
        if halves:
            short_cut = graph.node(
                "AveragePool", [source], f"{block}_ap", kernel_shape=[2, 2], strides=[2, 2]
            )
            grown = filters - channels, larger - short_size
            short_cut = self._pad(short_cut, grown, f"{block}_scp")
            name = self._pad(name, (0, larger - long_size), f"{block}_yp")
        graph.node("Add", [name, short_cut], f"{block}_a")
        return graph.node("Relu", [f"{block}_a"], f"{block}_o"), larger

    def _pad(self, source: str, grown: tuple[int, int], name: str) -> str:
        """dlib adds tensors of unequal size as if the smaller one went on with zeros."""
        channels, size = grown
        if not channels and not size:
            return source
        pads = np.array([0, 0, 0, 0, 0, channels, size, size], np.int64)
        return self._graph.node("Pad", [source, self._graph.constant(f"{name}_pads", pads)], name)
