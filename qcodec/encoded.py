"""A tensor that stays encoded until its elements are asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from . import layout as layouts
from ._core import decode as core
from .csr import to_csr
from .dtypes import BY_ID, ElementType, element_type
from .errors import CorruptError, TruncatedError
from .indexing import Index, select
from .inspection import Info, inspect_frame
from .limits import DEFAULT_LIMITS, Limits
from .quantized import Groups, Quantized

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = np.ndarray[Any, Any]

_FIRST_READ = 4096  # bytes: most heads fit
# A tiny input may honestly declare a large tensor of equal elements. Below this size all of it is
# checked before memory is taken for the output: an error then costs less than a MiB in all.
_CHECK_FIRST_BYTES = 4096
_CHEAP_OUTPUT_BYTES = 1 << 19
_POSITION_BYTES = 8


class Source(Protocol):
    """Where the bytes of a frame come from."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    def read(self, offset: int, size: int) -> Any:
        """A bytes-like object of `size` bytes."""


class _Buffer:
    """A bytes-like object as a source."""

    def __init__(self, buffer: Any) -> None:
        try:
            self._bytes = memoryview(buffer).cast("B")
        except TypeError as error:
            kind = type(buffer).__name__
            raise TypeError(f"a bytes-like object is needed, not {kind} ({error})") from None
        self.size = len(self._bytes)

    def read(self, offset: int, size: int) -> memoryview:
        return self._bytes[offset : offset + size]


class Encoded:
    """One encoded tensor, decoded as far as it is asked for.

    Parameters
    ----------
    source : bytes-like, or an object with ``size`` and ``read(offset, size)``
        One whole frame. Only the head is read now.
    limits : Limits, optional
        What may be decoded; the default is `qcodec.Limits()`.
    verify : bool
        Check the CRCs.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        Of the decoded array; bfloat16 and float8 as in `qcodec.dtypes`.
    element_type : ElementType
    kind, positions : str
        How it is stored: docs/format.md, sections 4 and 6.
    chunks : int
        Parts that decode alone.
    nbytes, encoded_bytes : int
        Dense and encoded size in bytes.

    Raises
    ------
    QCodecError
        If the head is not valid.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> weights = np.arange(12, dtype=np.float32).reshape(3, 4)
    >>> encoded = qcodec.Encoded(qcodec.encode(weights))
    >>> encoded.shape, encoded[1:, ::2].tolist()
    ((3, 4), [[4.0, 6.0], [8.0, 10.0]])
    """

    def __init__(self, source: Any, *, limits: Limits | None = None, verify: bool = True) -> None:
        self._source: Source = source if hasattr(source, "read") else _Buffer(source)
        self._verify = verify
        self._limits = limits or DEFAULT_LIMITS
        self._frame = self._read_head()
        self._fields: dict[str, Any] = self._frame.fields
        self.element_type: ElementType = BY_ID[self._fields["dtype"]]
        self.shape: tuple[int, ...] = self._fields["shape"]
        self.dtype = self.element_type.carrier
        self.kind = layouts.KIND_NAMES[self._fields["kind"]]
        self.positions = layouts.POSITIONS_NAMES[self._fields["positions"]]
        self.chunks: int = self._fields["chunks"]
        self.encoded_bytes = self._source.size
        self.nbytes: int = self._fields["elements"] * self.element_type.itemsize

    def __repr__(self) -> str:
        return (
            f"<qcodec.Encoded {self.element_type.name}{list(self.shape)}, "
            f"{self.kind}, {self.positions}, {self.encoded_bytes:,} bytes>"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without dimensions")
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def _bytes(self, offset: int, size: int) -> Array:
        return np.frombuffer(self._source.read(offset, size), np.uint8)

    def _read_head(self) -> core.Frame:
        total = self._source.size
        if isinstance(self._source, _Buffer):
            return core.Frame(self._bytes(0, total), True, self._verify)
        take = min(total, _FIRST_READ)
        while True:
            try:
                frame = core.Frame(self._bytes(0, take), take == total, self._verify)
            except TruncatedError as error:
                if take == total:
                    raise
                # What the head is said to need is doubted: it is read as far as it makes sense.
                take = min(total, max(2 * take, error.allowed or 0))
                continue
            fields = frame.fields
            if fields["frame_bytes"] != total and take < total:
                kind = TruncatedError if fields["frame_bytes"] > total else CorruptError
                raise kind(
                    f"frame: {total:,} bytes are there, it declares {fields['frame_bytes']:,}",
                    total, total, fields["frame_bytes"],
                )  # fmt: skip
            if fields["chunk_elements"] == 0 and take < total:
                # The CRC of an unchunked frame covers all of it.
                take = total
                continue
            return frame

    # ---- decoding ----

    def decode(self, *, out: Array | None = None, dtype: object = None, threads: int = 1) -> Array:
        """The whole tensor.

        Parameters
        ----------
        out : numpy.ndarray, optional
            Writable, C-contiguous, of this shape and the output dtype; it is filled and returned.
        dtype : optional
            float32, float16, bfloat16 or float64 instead of the tensor's own type, for float
            tensors: rounded once, to nearest even.
        threads : int
            Chunks decoded at the same time.

        Returns
        -------
        numpy.ndarray

        Raises
        ------
        QCodecError
            If the bytes are not valid, or larger than the limits allow.
        ValueError, TypeError
            If `out` does not fit, or the tensor cannot be given in `dtype`.
        """
        target = self._output_type(dtype)
        elements = self._fields["elements"]
        needed = elements * target.itemsize
        if out is None:
            self._limits.check_tensor(needed, self.encoded_bytes)
            if self.encoded_bytes <= _CHECK_FIRST_BYTES and needed > _CHEAP_OUTPUT_BYTES:
                self._decode_range(0, elements, target, None, threads)
            out = np.empty(self.shape, target.carrier)
        else:
            self._check_out(out, target)
        self._decode_range(0, elements, target, out.reshape(-1).view(np.uint8), threads)
        return out

    def verify(self) -> None:
        """Check every byte, without memory for the output; raises what `decode` would."""
        self._decode_range(0, self._fields["elements"], self.element_type, None, 1)

    def _output_type(self, dtype: object) -> ElementType:
        target = self.element_type if dtype is None else element_type(dtype)
        if target != self.element_type and not (
            self.element_type.is_float and target.name in layouts.OUTPUT_TYPES
        ):
            raise TypeError(
                f"a tensor of {self.element_type.name} cannot be given as {target.name}; allowed "
                f"are its own type and, for floats, {', '.join(layouts.OUTPUT_TYPES)}"
            )
        return target

    def _check_out(self, out: Array, target: ElementType) -> None:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out is a numpy.ndarray, not {type(out).__name__}")
        if out.shape != self.shape or out.dtype != target.carrier:
            raise ValueError(
                f"out is {out.dtype}{list(out.shape)}, "
                f"the tensor is {target.carrier}{list(self.shape)}"
            )
        if not out.flags.c_contiguous or not out.flags.writeable:
            raise ValueError("out must be C-contiguous and writable")

    def _decode_range(
        self, first: int, count: int, target: ElementType, out: Array | None, threads: int
    ) -> None:
        """Elements [first, first + count) into `out`, as bytes; None: check only."""
        size = target.itemsize

        def decode_chunk(index: int) -> None:
            offset, length, start, elements = self._frame.chunk(index)
            begin, end = max(first, start), min(first + count, start + elements)
            part = None if out is None else out[(begin - first) * size : (end - first) * size]
            self._frame.decode_chunk(
                index, self._bytes(offset, length), begin - start, end - begin,
                target.id, size, part, self._verify,
            )  # fmt: skip

        each = self._fields["chunk_elements"] or max(self._fields["elements"], 1)
        # An empty tensor has a chunk to check, an empty part of one has nothing.
        stop = -(-(first + count) // each) if count or self._fields["elements"] else self.chunks
        wanted = range(first // each, stop)
        if threads > 1 and len(wanted) > 1:
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(decode_chunk, wanted):
                    pass
        else:
            for index in wanted:
                decode_chunk(index)

    # ---- parts ----

    def __getitem__(self, index: Index) -> Array:
        """A part of the tensor, by NumPy's basic indexing; only its chunks are read.

        Integers, slices with any step, and one Ellipsis, as in NumPy. Rows are cheap: a
        range on the first axis decodes just the chunks that hold it.
        """
        part = select(index, self.shape)
        self._limits.check_tensor(part.count * self.element_type.itemsize, self.encoded_bytes)
        block = np.empty(part.count, self.dtype)
        self._decode_range(part.first, part.count, self.element_type, block.view(np.uint8), 1)
        return np.asarray(block.reshape(part.block_shape)[part.rest], order="C")

    def quantized(self) -> Quantized:
        """The tensor as integers and parameters, before any arithmetic; fillers left out."""
        fields = self._fields
        is_raw = self.kind in ("raw", "planes")
        code_type = (
            self.dtype if is_raw else np.dtype(np.uint8 if fields["width"] <= 8 else np.uint16)
        )
        positions, codes = self._codes(code_type)
        zero: int | Array = fields["zero_point"]
        if fields["zero_mode"] == 1:
            zero = _parameters(self._frame.zero_point_bytes(), "uint16")
        books = fields["books"]
        book_type = BY_ID[fields["codebook_dtype"]]
        scale_type = BY_ID[fields["scale_dtype"]]
        quantized = Quantized(
            shape=self.shape,
            dtype=self.element_type.name,
            kind="raw" if is_raw else "affine" if self.kind == "affine" else "codebook",
            codes=codes,
            positions=positions,
            bits=0 if is_raw else fields["width"],
            codebook=None if self.kind != "codebook" else Groups(
                _parameters(
                    self._frame.codebook_bytes(book_type.itemsize), book_type.name
                ).reshape(books, -1),
                fields["book_inner"],
            ),
            scale=None if not fields["scaled"] else Groups(
                _parameters(self._frame.scale_bytes(scale_type.itemsize), scale_type.name),
                fields["scale_inner"],
            ),
            codebook_dtype=book_type.name,
            scale_dtype=scale_type.name,
            zero_point=zero,
        )  # fmt: skip
        return _without_fillers(quantized)

    def _codes(self, code_type: np.dtype[Any]) -> tuple[Array | None, Array]:
        positions, codes, needed = [], [], 0
        for index in range(self.chunks):
            offset, length, first, _ = self._frame.chunk(index)
            data = self._bytes(offset, length)
            needed += self._frame.entries(index, data) * (code_type.itemsize + _POSITION_BYTES)
            self._limits.check_tensor(needed, self.encoded_bytes)
            where, what = self._frame.decode_codes(index, data, code_type.itemsize, self._verify)
            codes.append(what.view(code_type))
            if where is not None:
                positions.append(where.astype(np.int64) + first)
        joined = np.concatenate(codes) if codes else np.empty(0, code_type)
        if self.positions == "dense":
            return None, joined
        return np.concatenate(positions) if positions else np.empty(0, np.int64), joined

    def to_csr(self) -> csr_array:
        """The stored elements as a `scipy.sparse.csr_array`, without a dense copy.

        Axes after the first are flattened. Needs SciPy.
        """
        return to_csr(self.quantized())

    def info(self) -> Info:
        """What is stored, and where the bytes go."""
        return inspect_frame(self._frame, self._bytes)


def _parameters(data: bytes, dtype: str) -> Array:
    carrier = element_type(dtype).carrier
    values = np.frombuffer(data, np.uint8)
    if carrier.itemsize > 1 and carrier.isbuiltin == 1:
        return values.view(carrier.newbyteorder("<")).astype(carrier)
    return values.view(carrier).copy()


def _without_fillers(quantized: Quantized) -> Quantized:
    """Entries that only bridge a gap are not part of the tensor."""
    code = layouts.filler_code(quantized)
    if quantized.positions is None or code < 0:
        return quantized
    if quantized.kind == "raw":
        itemsize = quantized.codes.dtype.itemsize
        keep = (quantized.codes.view(np.uint8).reshape(-1, itemsize) != 0).any(axis=1)
    else:
        keep = quantized.codes != code
    if keep.all():
        return quantized
    return replace(quantized, codes=quantized.codes[keep], positions=quantized.positions[keep])
