"""Makes transformers load compressed checkpoints: ``import qcodec.transformers``.

A compressed checkpoint is a folder as transformers writes it, with two differences. The tensors
of its safetensors files are frames, each an entry ``NAME.qcodec``
(``qcodec.save_file(..., layout="entries")``). And ``config.json`` has ``quantization_config``:
``{"quant_method": "qcodec"}``. `from_pretrained` decodes the frames one after the other. What it
returns is an ordinary model, that can be trained, saved and moved like any other.

transformers has no entry points for methods of quantization. So this module registers its own
when it is imported, and has to be imported before `from_pretrained` is called.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import Any

import torch
import transformers

if tuple(map(int, transformers.__version__.split(".")[:2])) < (5, 24):
    raise ImportError(
        f"qcodec.transformers needs transformers 5.24 or newer, found {transformers.__version__}"
    )

from transformers.core_model_loading import (
    ConversionOps,
    WeightConverter,
    WeightRenaming,
    WeightTransform,
)
from transformers.quantizers import (
    HfQuantizer,
    register_quantization_config,
    register_quantizer,
)
from transformers.utils.quantization_config import QuantizationConfigMixin

from ._base.arrays import to_torch
from ._frame.encoded import Encoded
from .errors import CorruptError, naming

__all__ = ["QCodecConfig", "QCodecQuantizer"]

#: The ending of entries that are frames, and the entry that holds many (format, section 9).
_SUFFIX = ".qcodec"
_PACK = "qcodec.pack"
_METHOD = "qcodec"
_THREADS = min(4, os.cpu_count() or 1)


@register_quantization_config(_METHOD)
class QCodecConfig(QuantizationConfigMixin):
    """The ``quantization_config`` of a compressed checkpoint.

    Parameters
    ----------
    dtype : str, optional
        The type of most weights, for models whose own configuration does not say it.
    """

    def __init__(self, dtype: str | None = None, **_: object) -> None:
        self.quant_method = _METHOD
        self.dtype = dtype
        # The model in memory is not quantized: transformers removes this configuration from it.
        self.dequantize = True

    def to_dict(self) -> dict[str, Any]:
        """Return what ``config.json`` holds."""
        found = {"quant_method": self.quant_method, "dtype": self.dtype}
        return {key: value for key, value in found.items() if value is not None}


@register_quantizer(_METHOD)
class QCodecQuantizer(HfQuantizer):
    """Loads the frames of a compressed checkpoint; transformers makes one for each model."""

    requires_calibration = True  # transformers refuses to encode a checkpoint while it is loaded

    def update_weight_conversions(
        self, weight_conversions: list[WeightTransform], model: Any
    ) -> list[WeightTransform]:
        """Return the model's own renamings and conversions, for frames instead of tensors."""
        if getattr(model.config, "distributed_config", None) is not None:
            raise NotImplementedError(
                "tensor parallelism needs parts of tensors, and the checkpoint has frames: pass "
                "config= and slices as state_dict= to the model's class (docs/transformers.md)"
            )
        own = [
            _Decoding.like(one) if isinstance(one, WeightConverter) else one
            for one in weight_conversions
        ]
        suffix = WeightRenaming(rf"^(.+){re.escape(_SUFFIX)}$", r"\1")
        # At most one converter takes a tensor: the last one has what the model's own leave.
        return [suffix, *own, _Decoding(r"^(.+)$", r"\1", [_Unchanged()])]

    def update_dtype(self, dtype: torch.dtype) -> torch.dtype:
        """Return the type of the weights, where transformers found that of the first frame."""
        if dtype.is_floating_point:
            return dtype
        name = self.quantization_config.dtype
        found = torch.get_default_dtype() if name is None else getattr(torch, str(name), None)
        if not isinstance(found, torch.dtype) or not found.is_floating_point:
            raise ValueError(
                f"config.json: the dtype of quantization_config is {name!r}, allowed are the float "
                "types of torch"
            )
        return found

    def get_new_dtype(self, converter: Any, param: Any, dtype: Any) -> Any:
        """Leave conversion to another type until the tensor is decoded."""
        if not isinstance(converter, _Decoding):
            return dtype
        converter.dtype = dtype
        return None

    def _process_model_after_weight_loading(self, model: Any, **_: Any) -> Any:
        """Let tied tensors that were offloaded to the disk be found under all their names.

        transformers looks for them where the checkpoint has them, but saved the decoded one.
        """
        for name, source in model.all_tied_weights_keys.items():
            hook = getattr(model.get_submodule(name.rpartition(".")[0]), "_hf_hook", None)
            weights = getattr(getattr(hook, "weights_map", None), "dataset", None)
            index = getattr(weights, "index", {})
            if source in index:
                index[name] = index[source]
        return model

    def is_serializable(self) -> bool:
        """Whether the model in memory can be saved in this form: use qcodec for that."""
        return False

    @property
    def is_trainable(self) -> bool:
        """The decoded model is an ordinary one."""
        return True


class _Decoding(WeightConverter):
    """A conversion of transformers that decodes frames before it begins."""

    __slots__ = ("dtype", "names")

    def __init__(
        self, source_patterns: Any, target_patterns: Any, operations: list[ConversionOps]
    ) -> None:
        # Frames are decoded on the CPU; transformers moves the result.
        super().__init__(source_patterns, target_patterns, operations, force_cpu=True)
        self.dtype: torch.dtype | None = None
        self.names: dict[str, list[str]] = defaultdict(list)  # of entries, by source pattern

    @classmethod
    def like(cls, converter: WeightConverter) -> _Decoding:
        """Make one of a model's own converter."""
        new = cls(
            list(converter._original_source_patterns),
            list(converter._original_target_patterns),
            converter.operations,
        )
        new.scope_prefix = converter.scope_prefix
        new.base_model_prefix = converter.base_model_prefix
        return new

    def rename_source_key(self, source_key: str) -> tuple[str, str | None]:
        if source_key == _PACK:
            raise CorruptError(
                "checkpoint has a pack, and transformers loads one entry after the other: write it "
                "with save_file(..., layout='entries'), or pass state_dict=lazy_state_dict(folder)"
            )
        found: tuple[str, str | None] = super().rename_source_key(source_key)
        return found

    def add_tensor(
        self, target_key: str, source_key: str, source_pattern: str, future: Any
    ) -> None:
        known, plain = self.names[source_pattern], source_key.removesuffix(_SUFFIX)
        if plain in known or plain + _SUFFIX in known:
            raise CorruptError(f"checkpoint has two tensors of the name {plain!r}")
        known.append(source_key)
        super().add_tensor(target_key, source_key, source_pattern, future)

    def materialize_tensors(self) -> dict[str, list[torch.Tensor]]:
        names, self.names = self.names, defaultdict(list)
        return {
            pattern: [
                self._tensor(name, entry)
                for name, entry in zip(names[pattern], entries, strict=True)
            ]
            for pattern, entries in super().materialize_tensors().items()
        }

    def _tensor(self, name: str, entry: torch.Tensor) -> torch.Tensor:
        if not name.endswith(_SUFFIX) or entry.dtype != torch.uint8 or entry.ndim != 1:
            return entry.to(dtype=self.dtype)
        with naming(name.removesuffix(_SUFFIX)):
            encoded = Encoded(entry.numpy())
            tensor: torch.Tensor = to_torch(
                encoded.decode(threads=_THREADS), encoded.element_type
            ).to(dtype=self.dtype)
        return tensor


class _Unchanged(ConversionOps):
    """Gives a tensor to the parameter of its name."""

    def convert(
        self, input_dict: dict[str, list[torch.Tensor]], full_layer_name: str, **_: Any
    ) -> dict[str, torch.Tensor]:
        (tensors,) = input_dict.values()
        return {full_layer_name: tensors[0]}
