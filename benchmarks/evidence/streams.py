"""The bytes of code streams alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import qcodec
from qcodec import Codec, Info


def code_bytes(tensors: Mapping[str, np.ndarray], codec: Codec, profile: str) -> int:
    """What `qcodec.info` says of the values of every tensor's frame, summed."""
    frames = (qcodec.encode(array, codec, profile=profile) for array in tensors.values())
    return sum(values_of(qcodec.info(frame)) for frame in frames)


def values_of(info: Info) -> int:
    """Bytes of a frame's values, tables and maps of their codings included."""
    return sum(section.bytes for section in info.sections if section.name == "values")
