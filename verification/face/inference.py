"""One ONNX model in memory, run on one thread.

Several sessions with spinning threads take five times as long on a two-core counter machine as one
thread does (FACE, 4.1), so threads and spinning are off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from verification.errors import FaceModelAltered

Floats = npt.NDArray[np.float32]

_ERRORS_ONLY = 3


class Network:
    """A verified model file, ready to run.

    ``compact`` optimises one step less than everything, which keeps one copy of the weights instead of
    two: 44 MB less for the recogniser, at 1.6 ms more for a face.
    """

    def __init__(self, model: bytes, *, compact: bool = False) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Pictures come in many sizes: a pre-planned arena for each would only grow.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        if compact:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = _ERRORS_ONLY
        try:
            session: Any = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except (RuntimeError, ValueError) as fault:
            raise FaceModelAltered(f"model cannot be loaded: {type(fault).__name__}") from None
        # The runtime keeps the file's bytes to begin again on another processor, which there is none of
        # here: 22 MB for the recogniser, for as long as the process lives.
        session.disable_fallback()
        session._model_bytes = None
        self._session = session
        self._input: str = session.get_inputs()[0].name

    def run(self, values: Floats) -> Floats:
        """The first output for one input."""
        return np.asarray(self._session.run(None, {self._input: values})[0], np.float32)

    def run_all(self, values: Floats) -> dict[str, Floats]:
        """Every output by name."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, {self._input: values}), strict=True))
