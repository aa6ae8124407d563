"""Run an exported network with OpenVINO on the CPU, offline and repeatably."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.errors import UnusableEncoder


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report each import to its makers.

    Raises ImportError where OpenVINO is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


class OpenVinoEngine:
    """A compiled network, from a file or as OpenVINO's model: float32 (n, 3, h, w) -> its first output, (n, dim).

    Every picture is one inference on one thread, and `parallel` of them run side by side: a vector depends neither
    on the batch it came in nor on the number of cores.
    """

    def __init__(self, model: Path | Any, *, shape: tuple[int, int, int], precision: str, parallel: int) -> None:
        openvino = import_openvino()
        hint = {"fp32": "f32", "bf16": "bf16"}[precision]
        try:
            core = openvino.Core()
            network = core.read_model(model) if isinstance(model, Path) else model
            network.reshape([1, *shape])
            for stage in network.get_results()[1:]:  # of older encoder folders: what nobody reads costs time
                network.remove_result(stage)
            options = {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": parallel}
            compiled = core.compile_model(network, "CPU", options | {"INFERENCE_NUM_THREADS": parallel})
        except RuntimeError as error:
            raise UnusableEncoder(f"OpenVINO cannot load {model}: {str(error).splitlines()[0]}") from error
        self._shape = tuple(compiled.output(0).shape)[1:]
        self._one_at_a_time = threading.Lock()
        self._queue = openvino.AsyncInferQueue(compiled, parallel)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        found = np.empty((len(pictures), *self._shape), np.float32)

        def store(request: Any, position: int) -> None:
            found[position] = request.get_output_tensor(0).data[0]

        with self._one_at_a_time:  # the queue has one callback
            self._queue.set_callback(store)
            for position in range(len(pictures)):
                self._queue.start_async({0: pictures[position : position + 1]}, position)
            self._queue.wait_all()
        return found
