"""What others make of the same nets: llama.cpp's blocks, and onnxruntime's dynamic int8."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from .net import Net, is_weight
from .onnx_net import OnnxNet
from .ways import Made, Way


@dataclass(frozen=True)
class Blocks(Way):
    """llama.cpp's blocks of 32 weights with a scale each, as the package gguf makes them.

    Of a convolution, all weights of an output count as its row. Weights whose rows are no
    multiple of 32 stay as they are, and so do all other tensors.

    Attributes
    ----------
    type : str
        Such as ``"Q8_0"``.
    """

    type: str

    @property
    def name(self) -> str:
        return f"llama.cpp {self.type}"

    def make(self, net: Net, folder: Path) -> Made:
        tensors = net.tensors()
        kind = GGMLQuantizationType[self.type]
        size = net.file.stat().st_size
        for name, array in tensors.items():
            if is_weight(array) and (array.size // array.shape[0]) % GGML_QUANT_SIZES[kind][0] == 0:
                rows = np.ascontiguousarray(array, np.float32).reshape(array.shape[0], -1)
                blocks = quantize(rows, kind)
                size += blocks.nbytes - array.nbytes
                tensors[name] = dequantize(blocks, kind).reshape(array.shape)
        path = folder / f"blocks{net.source.suffix}"
        net.write(tensors, path)
        return Made(size, path, tensors)


class DynamicInt8(Way):
    """onnxruntime's quantize_dynamic: 8 bits for weights, and for activations while it runs.

    The net is prepared as onnxruntime advises: weights that are constants stay float otherwise.
    """

    name = "onnxruntime dynamic int8"

    def applies(self, net: Net) -> bool:
        return isinstance(net, OnnxNet)

    def make(self, net: Net, folder: Path) -> Made:
        prepared, path = folder / "prepared.onnx", folder / "dynamic.onnx"
        logging.disable(logging.WARNING)  # about shapes that it does not infer
        try:
            quant_pre_process(net.source, prepared, skip_symbolic_shape=True)
            # Convolutions with signed weights are not implemented.
            quantize_dynamic(prepared, path, weight_type=QuantType.QUInt8)
        finally:
            logging.disable(logging.NOTSET)
        return Made(path.stat().st_size, path, None)


def others() -> list[Any]:
    """All of them."""
    return [Blocks("Q8_0"), Blocks("Q4_0"), DynamicInt8()]
