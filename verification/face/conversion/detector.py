"""dlib's mmod face detector (CC0) as an ONNX model that maps a picture to a map of scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from verification.errors import MalformedDocument
from verification.face.conversion.dlib_archive import DlibReader, Layer, find_layers
from verification.face.conversion.onnx_writer import Graph
from verification.face.conversion.recogniser import MEAN_RGB, SCALE

Doubles = npt.NDArray[np.float64]

_CONVOLUTIONS = 7
_BATCH_EPSILON = 1e-4  # dlib's DEFAULT_BATCH_NORM_EPS
# Between a bn_con2 layer's parameters and its four running tensors lie ten integers.
_BATCH_INTEGERS = 10


def convert_detector(encoded: bytes) -> bytes:
    """The ONNX file of ``mmod_human_face_detector.dat``; raises MalformedDocument."""
    layers = find_layers(encoded, r"con_\d|bn_con2")
    convolutions = [layer for layer in layers if layer.tag.startswith("con_")]
    norms = [_affine(encoded, layer) for layer in layers if layer.tag == "bn_con2"]
    if (len(convolutions), len(norms)) != (_CONVOLUTIONS, _CONVOLUTIONS - 1):
        raise MalformedDocument(f"detector has {len(convolutions)} convolutions and {len(norms)} norms")
    graph = Graph("mmod")
    mean = np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    graph.node("Sub", ["input", graph.constant("m", mean)], "a0")
    name = graph.node("Mul", ["a0", graph.constant("s", np.array([SCALE], np.float32))], "a1")
    channels = 3
    for index, layer in enumerate(convolutions):
        norm = norms[index] if index < len(norms) else None
        name = _convolution(graph, index, (name, channels), layer, norm)
        channels = layer.settings[0]
        if norm is not None:
            name = graph.node("Relu", [name], f"r{index}")
    graph.node("Identity", [name], "score")
    return graph.model(("input", (1, 3, "H", "W")), ("score", (1, 1, "h", "w")))


def _affine(encoded: bytes, layer: Layer) -> tuple[Doubles, Doubles]:
    """Batch normalisation at rest is a gain and an offset per channel."""
    reader = DlibReader(encoded, layer.end)
    for _ in range(_BATCH_INTEGERS):
        reader.integer()
    _, _, means, variances = (reader.tensor()[1].astype(np.float64) for _ in range(4))
    gain, offset = layer.numbers.astype(np.float64).reshape(2, -1)
    if len(means) != len(gain):
        raise MalformedDocument("detector norm has an unexpected size")
    gain = gain / np.sqrt(variances + _BATCH_EPSILON)
    return gain, offset - gain * means


def _convolution(
    graph: Graph, index: int, source: tuple[str, int], layer: Layer, norm: tuple[Doubles, Doubles] | None
) -> str:
    name, channels = source
    filters, rows, columns, step_y, step_x, pad_y, pad_x = layer.settings
    split = filters * channels * rows * columns
    if len(layer.numbers) != split + filters:
        raise MalformedDocument(f"detector convolution {index} has an unexpected size")
    numbers = layer.numbers.astype(np.float64)
    kernels, biases = numbers[:split].reshape(filters, channels, rows, columns), numbers[split:]
    if norm is not None:
        kernels = kernels * norm[0][:, None, None, None]
        biases = biases * norm[0] + norm[1]
    constants = [
        graph.constant(f"w{index}", kernels.astype(np.float32)),
        graph.constant(f"b{index}", biases.astype(np.float32)),
    ]
    return graph.node(
        "Conv",
        [name, *constants],
        f"c{index}",
        kernel_shape=[rows, columns],
        strides=[step_y, step_x],
        pads=[pad_y, pad_x, pad_y, pad_x],
    )
