"""Gathers the facts of a file; one tensor at a time is in memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .._base.arrays import Typed, as_float32, bytes_of, cast
from .._base.messages import one_line
from .._file.directory import Stored
from .._file.tensor_file import TensorFile
from .._frame.codebook_order import ascending
from .._frame.encoded import Encoded
from .._frame.inspection import Info
from ..dtypes import BY_NAME, BY_SAFETENSORS, QUANTIZABLE
from ..errors import QCodecError
from ..files import BaseLike, safe_open
from ..limits import Limits
from ..quantize.metrics import sqnr
from ..quantized import Quantized
from .codec_text import codec_text
from .codes import codes_of, counted, entropy
from .facts import FileFacts, TensorFacts
from .histogram import histogram
from .purposes import by_purpose
from .stages import STAGES, stage_bytes

Array = np.ndarray[Any, Any]

_CODED_KINDS = ("affine", "codebook")
_AT_ONCE = 1 << 20


def gather(
    filename: str | Path,
    original: str | Path | None = None,
    *,
    limits: Limits | None = None,
    base: BaseLike = None,
    progress: Callable[[str], None] | None = None,
) -> FileFacts:
    """Gather the facts of a file.

    Each tensor is decoded once, and encoded at fixed width for the sizes of the stages before it
    was coded. Histograms of more than a million elements are those of a sample.

    Parameters
    ----------
    filename : path-like
        As for `qcodec.safe_open`; it need not be encoded.
    original : path-like, optional
        What it was made of, in any of these formats: then there are errors, and the histograms
        of the original.
    limits : Limits, optional
    base : path-like or mapping, optional
        The base of the file, if it stores differences.
    progress : callable, optional
        Called with the name of each tensor that is done.

    Returns
    -------
    FileFacts

    Raises
    ------
    QCodecError
        If the head of the file or of a tensor is not valid. A tensor that cannot be decoded has a
        `note`.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     weights = {"fc.weight": np.sin(np.arange(4096, dtype="f4")).reshape(64, 64)}
    ...     _ = qcodec.save_file(weights, f"{folder}/net.qcodec", recipe=qcodec.Codebook(4))
    ...     _ = qcodec.save_file(weights, f"{folder}/float.safetensors")
    ...     facts = gather(f"{folder}/net.qcodec", f"{folder}/float.safetensors")
    >>> tensor = facts.tensors[0]
    >>> tensor.codec, len(tensor.codes.counts), round(tensor.sqnr_db)
    ('codebook, 4 bits', 16, 26)
    """
    with safe_open(filename, backend="pread", limits=limits, base=base) as file:
        if original is None:
            return gather_open(file, Path(filename).name, progress=progress)
        with safe_open(original, backend="pread", limits=limits) as other:
            names = Path(filename).name, Path(original).name
            return gather_open(file, names[0], other, names[1], progress=progress)


def gather_open(
    file: TensorFile,
    name: str,
    original: TensorFile | None = None,
    original_name: str = "",
    *,
    progress: Callable[[str], None] | None = None,
) -> FileFacts:
    """Gather the facts of an open file; see `gather`."""
    found = []
    for stored in file.directory.tensors.values():
        facts = head_facts(file, stored)
        if not facts.same_as and not stored.opaque:
            facts = _decoded(facts, file, stored, original)
        found.append(facts)
        if progress is not None:
            progress(stored.name)
    directory = file.directory
    return FileFacts(
        name,
        file.source.size,
        tuple(found),
        {one: file.info(one).bytes for one in directory.attached},
        _head_bytes(file, found),
        original_name,
    )


def _head_bytes(file: TensorFile, tensors: list[TensorFacts]) -> int:
    """Return the bytes that belong to no tensor and to nothing attached."""
    attached = sum(file.info(name).bytes for name in file.directory.attached)
    return max(file.source.size - attached - sum(tensor.bytes for tensor in tensors), 0)


def head_facts(file: TensorFile, stored: Stored) -> TensorFacts:
    """Return the facts of a tensor for which it need not be decoded."""
    if stored.converted_to:
        part, element = file.get_slice(stored.name), file.element_type(stored.name)
        shape = tuple(part.get_shape())
        elements = math.prod(shape)
        return TensorFacts(
            stored.name, shape, element.name, "converted", "dense", f"like {stored.target}", (),
            elements, 0, elements * element.itemsize, same_as=stored.target,
        )  # fmt: skip
    facts = _of_ordinary(stored) if stored.ordinary is not None else _of_frame(file, stored)
    if stored.target != stored.name:
        codec = f"= {stored.target}"
        facts = replace(facts, bytes=0, parts={}, codec=codec, same_as=stored.target)
    return facts


def _of_ordinary(stored: Stored) -> TensorFacts:
    entry = stored.ordinary
    assert entry is not None
    known = BY_SAFETENSORS.get(entry.dtype)
    return TensorFacts(
        stored.name,
        tuple(entry.shape),
        known.name if known is not None else entry.dtype,
        "ordinary",
        "dense",
        "not encoded",
        (),
        math.prod(entry.shape),
        stored.size,
        stored.size,
        {"values": stored.size} if stored.size else {},
        note="" if known is not None else "of a type that qcodec does not decode",
    )


def _of_frame(file: TensorFile, stored: Stored) -> TensorFacts:
    encoded = file.encoded(stored.name)
    info: Info = file.info(stored.name)
    return TensorFacts(
        stored.name,
        info.shape,
        info.dtype,
        info.kind,
        info.positions,
        codec_text(encoded.frame, stored.part is not None),
        info.codings,
        info.elements,
        info.bytes,
        info.elements * encoded.element_type.itemsize,
        by_purpose(info.sections),
    )


def _decoded(
    facts: TensorFacts, file: TensorFile, stored: Stored, original: TensorFile | None
) -> TensorFacts:
    """Add what the decoded tensor says; if it cannot be decoded, why."""
    try:
        array, element = file.read_array(facts.name)
        tensor = Typed(array, element)
        encoded = file.encoded(facts.name) if stored.ordinary is None else None
        facts = _with_codes(facts, tensor, encoded)
        return facts if original is None else _compared(facts, tensor, original)
    except QCodecError as error:
        return replace(facts, note=one_line(str(error)))


def _with_codes(facts: TensorFacts, tensor: Typed, encoded: Encoded | None) -> TensorFacts:
    is_coded = encoded is not None and facts.kind in _CODED_KINDS
    quantized = encoded.quantized() if encoded is not None and is_coded else None
    found: dict[str, Any] = {}
    if encoded is not None and quantized is not None and facts.elements:
        counts = counted(quantized.codes, quantized.bits)
        streams = facts.parts.get("values", 0) + facts.parts.get("positions", 0)
        found["entropy_bits"] = entropy(counts, facts.elements)
        found["code_bits"] = 8 * streams / facts.elements
        stored = _as_stored(quantized, encoded)
        if stored is not quantized:
            counts = counted(stored.codes, stored.bits)
        found["codes"] = codes_of(stored, counts, encoded)
    if encoded is not None:
        found["stages"] = stage_bytes(tensor, quantized, facts.bytes)
    else:
        found["stages"] = dict.fromkeys(STAGES, facts.bytes)
    values = _numbers(tensor)
    if values is not None:
        found["kept"] = int(np.count_nonzero(values))
        found["values"] = histogram(_shown(values, replace(facts, kept=found["kept"])))
    return replace(facts, **found)


def _as_stored(quantized: Quantized, encoded: Encoded) -> Quantized:
    """Return a tensor with the codes that are in the file: those of sorted codebooks differ."""
    frame = encoded.frame
    opened = frame.with_parameters() if frame.coded_bytes else frame
    moved = ascending(quantized) if opened.codebook_order() else None
    return quantized if moved is None else moved[0]


def _shown(values: Array, facts: TensorFacts) -> Array:
    """Return what a histogram is made of: beside the zeros of a sparse tensor, nothing is seen."""
    is_sparse = facts.kept is not None and 2 * facts.kept < facts.elements
    return values[values != 0] if is_sparse else values


def _numbers(tensor: Typed) -> Array | None:
    """Return the tensor's values in a type that NumPy computes with; None if there is none."""
    array, element = tensor.array, tensor.element
    if element.name == "float64" or (array.dtype.kind in "iub" and not element.is_float):
        return None if element.packed_bits else array
    if element.name in QUANTIZABLE:
        return as_float32(array, element)
    try:
        return cast(array, element, BY_NAME["float32"]) if element.is_float else None
    except ValueError:
        return None


def _squares(before: Array, after: Array) -> tuple[float, float]:
    """Return the sums of squares of an array and of its error, in less memory than `sqnr`."""
    x, y = before.reshape(-1), after.reshape(-1)
    signal = noise = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(x), _AT_ONCE):
            some = x[start : start + _AT_ONCE].astype(np.float64)
            signal += float(np.square(some).sum())
            noise += float(np.square(some - y[start : start + _AT_ONCE]).sum())
    return signal, noise


def _compared(facts: TensorFacts, tensor: Typed, original: TensorFile) -> TensorFacts:
    if facts.name not in original:
        return replace(facts, note="not in the original")
    array, element = original.read_array(facts.name)
    if array.shape != tensor.array.shape:
        return replace(facts, note="of another shape in the original")
    is_exact = element is tensor.element and np.array_equal(bytes_of(array), bytes_of(tensor.array))
    other = Typed(array, element)
    before, after = _numbers(other), _numbers(tensor)
    if before is None or after is None or not element.is_float:
        return replace(facts, is_exact=bool(is_exact))
    signal, noise = _squares(before, after)
    if is_exact or not 0 < noise < math.inf or not 0 < signal < math.inf:
        ratio = math.inf if is_exact else sqnr(before, after)
    else:
        ratio = 10 * math.log10(signal / noise)
    return replace(
        facts,
        original=histogram(_shown(before, facts)),
        is_exact=bool(is_exact),
        sqnr_db=ratio if math.isfinite(ratio) else None,
        signal=signal if math.isfinite(signal) else 0.0,
        note="" if is_exact or not math.isnan(ratio) else "not finite: no error is computed",
    )
