"""Nets in ONNX, which onnxruntime runs on the CPU."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from .net import Net, Tensors


def session(path: Path) -> onnxruntime.InferenceSession:
    """A session on the CPU, with a thread for each core, or as many as OMP_NUM_THREADS says."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxNet(Net):
    """A net in ONNX.

    Attributes
    ----------
    source : pathlib.Path
    batches : sequence of ndarray
        The inputs.
    """

    batches: Sequence[Any]

    def run(self, path: Path, names: Sequence[str] | None = None) -> Iterable[list[Any]]:
        """What the net says to each batch, for these of its outputs, or all."""
        running = session(path)
        place = running.get_inputs()[0].name
        for batch in self.batches:
            yield running.run(names, {place: batch})

    def write(self, tensors: Tensors, path: Path) -> None:
        """Replace initializers and constants by name, as qcodec names them."""
        model = onnx.load(self.source)
        stored = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant":
                for attribute in node.attribute:
                    if attribute.name == "value":
                        stored[node.output[0]] = attribute.t
        for name, array in tensors.items():
            stored[name].CopyFrom(numpy_helper.from_array(np.asarray(array), stored[name].name))
        onnx.save(model, path)
