"""nncodec's DeepCABAC without its bitstream: rows of signed integers to bytes and back."""

from __future__ import annotations

import numpy as np

# Of the unary part of a number, less one; as nncodec has it.
_UNARY_LENGTH = 10


def encode(rows: np.ndarray, optimised: bool = True) -> np.ndarray:
    """Code integers of which zero is the most likely.

    Parameters
    ----------
    rows : ndarray of int32, two dimensions
    optimised : bool
        Search for the parameters of the contexts, as nncodec does unless told otherwise.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    ImportError
        Without nncodec.
    """
    from nncodec.extensions import deepCABAC

    encoder = deepCABAC.Encoder()
    encoder.initCtxModels(_UNARY_LENGTH, int(optimised))
    skipped = np.zeros(len(rows), np.int32)
    encoder.encodeLayer(rows, 0, 0, 0, 0, 0, skipped, *_no_skipping(), 0, 0)
    return encoder.finish()


def decode(data: np.ndarray, out: np.ndarray) -> None:
    """Fill `out` with the integers again."""
    from nncodec.extensions import deepCABAC

    decoder = deepCABAC.Decoder()
    decoder.setStream(bytearray(data))
    decoder.initCtxModels(_UNARY_LENGTH)
    decoder.decodeLayer(out, 0, 0, 0, 0, *_no_skipping(), 0, 0)


def _no_skipping() -> tuple[object, np.ndarray]:
    from nncodec.extensions import deepCABAC

    return deepCABAC.HdspMode.AlwaysOff, np.zeros(2, np.int8)
