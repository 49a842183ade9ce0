"""`Encoded`: a tensor that stays encoded until its elements are requested."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .._base.arrays import as_array, check_out, little_endian_bytes
from .._base.delta_base import Base
from .._base.forks import ForkLock
from .._base.threads import Task, run_all, runs_of, worthwhile
from .._core import core
from .._io.source import BytesSource, Readable, as_source, forget, is_view
from ..dtypes import BY_ID, ElementType, output_type
from ..errors import BaseError, ChecksumError
from ..limits import DEFAULT_LIMITS, Limits
from ..quantized import Quantized
from . import ids
from .csr import to_csr
from .head import read_head
from .indexing import Index, select
from .inspection import Info, inspect_frame
from .notes import Notes, sha256
from .to_quantized import quantized_bytes, to_quantized

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = np.ndarray[Any, Any]

# A tiny input may legitimately declare a large tensor of equal elements. An input of up to this
# size is checked completely before its output is allocated, so an error costs less than 1 MiB.
_CHECK_FIRST_BYTES = 4096
_CHEAP_OUTPUT_BYTES = 1 << 19

# Bytes that are read at once where reading copies them: so they stay in the caches.
_PIECE_BYTES = 1 << 20
# The same where they are mapped, and then count as memory of the process until they are forgotten.
_MAPPED_PIECE_BYTES = 1 << 24
_FORGOTTEN_BYTES = 1 << 22


# How many bytes of output could be written in the time that an encoded byte takes: `LEAST_WORK`.
_FIXED_WORK, _CODED_WORK, _SCATTERED_WORK, _SLOW_WORK = 2, 4, 64, 1024
# Sets of codings: constant and bitpacked; contexts; lanes, beside which contexts have little.
_FIXED_WIDTH, _SLOW, _LANES = 0b11, 0b1000, 0b110000


class Encoded:
    """One encoded tensor, of which parts can be decoded on demand.

    Parameters
    ----------
    source : bytes-like, or an object with ``size`` and ``read(offset, size)``
        One whole frame. At first only the head is read.
    limits : Limits, optional
        What may be decoded; the default is `qcodec.Limits()`.
    verify : bool
        Check the CRCs, and the digest of the base.
    base : array_like, or a callable that returns one, optional
        The base of a tensor of kind delta. It is called for when elements are first
        decoded, and never for other kinds.
    input_bytes : int, optional
        The size of the file that contains the frame, for `Limits.max_expansion`. The default
        is the length of the frame.
    head : optional
        The head of the frame, if it was read before.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        The dtype of the decoded array; bfloat16 and float8 as in `qcodec.dtypes`.
    element_type : ElementType
    kind, positions : str
        How the tensor is stored: docs/format.md, sections 4 and 6.
    chunks : int
        Number of parts that can be decoded alone.
    encoded_bytes : int
        Encoded size in bytes.

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

    def __init__(
        self,
        source: Any,
        *,
        limits: Limits | None = None,
        verify: bool = True,
        base: Any = None,
        input_bytes: int | None = None,
        head: core.Frame | None = None,
    ) -> None:
        self._source: Readable = as_source(source)
        self._verify = verify
        self._base = base
        self._limits = limits or DEFAULT_LIMITS
        self._frame = frame = head or read_head(self._source, verify)
        self.element_type: ElementType = BY_ID[frame.dtype]
        self.shape: tuple[int, ...] = frame.shape
        self._first = 0  # element of the frame
        self.dtype = self.element_type.carrier
        self.kind = ids.KIND_NAMES[frame.kind]
        self.positions = ids.POSITIONS_NAMES[frame.positions]
        self.chunks: int = frame.chunks
        # Decoding elements needs these. Each is set once, under the lock, and then kept.
        self._lock = ForkLock()
        self._opened = None if frame.coded_bytes else frame  # the frame with its parameters
        self._base_bytes: Array | None = None  # for kind delta
        self.encoded_bytes = self._source.size
        self._input_bytes = self.encoded_bytes if input_bytes is None else input_bytes

    def __repr__(self) -> str:
        return (
            f"<qcodec.Encoded {self.element_type.name}{list(self.shape)}, "
            f"{self.kind}, {self.positions}, {self.encoded_bytes:,} bytes>"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a qcodec.Encoded cannot be pickled or copied: pass the encoded bytes instead, and "
            "make an Encoded of them"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without dimensions")
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def elements(self) -> int:
        """Number of elements of the tensor."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Dense size in bytes."""
        return self.elements * self.element_type.itemsize

    def _bytes(self, offset: int, size: int) -> Array:
        return np.frombuffer(self._source.read(offset, size), np.uint8)

    # ---- decoding ----

    def decode(self, *, out: Array | None = None, dtype: object = None, threads: int = 1) -> Array:
        """Decode the whole tensor.

        Parameters
        ----------
        out : numpy.ndarray, optional
            Writable, C-contiguous, of this shape and the output dtype; it is filled and returned.
        dtype : optional
            For float tensors: float32, float16, bfloat16 or float64 instead of the tensor's own
            type, to which its elements are converted: rounded to nearest even. Those beyond the
            range of a narrower type become infinite, as in a cast.
        threads : int
            Number of threads, the calling one included. Each decodes runs of chunks. Small
            tensors are decoded by fewer threads, because starting one takes longer.

        Returns
        -------
        numpy.ndarray

        Raises
        ------
        QCodecError
            If the bytes are not valid, or the tensor is larger than the limits allow.
        ValueError, TypeError
            If `out` does not fit, or the tensor cannot be decoded as `dtype`.
        """
        target, out = self._output(out, dtype)
        if threads == 1 or worthwhile(threads, self.work(out.nbytes)) == 1:
            self._decode_run(0, self.elements, target, out)
        else:
            tasks = self._tasks(target, out, threads)
            run_all(tasks, min(threads, len(tasks)))
        return out

    def decoding(
        self, *, out: Array | None = None, dtype: object = None, threads: int = 1
    ) -> tuple[Array, list[Task]]:
        """Return the output of `decode`, and calls that fill it, at the same time or in order."""
        target, out = self._output(out, dtype)
        return out, self._tasks(target, out, threads)

    def _output(self, out: Array | None, dtype: object) -> tuple[ElementType, Array]:
        """Return the element type of the output, and the output; check the limits."""
        target = output_type(self.element_type, dtype)
        if out is None:
            needed = self.elements * target.itemsize
            self._limits.check_tensor(needed, self._input_bytes)
            self._check_first(needed)
            return target, np.empty(self.shape, target.carrier)
        check_out(out, self.shape, target)
        return target, out

    @property
    def frame(self) -> core.Frame:
        """The head of the frame."""
        return self._frame

    @property
    def notes(self) -> Notes:
        """What the frame says beside its tensor."""
        return Notes.of(self._frame)

    def verify(self) -> None:
        """Check every byte, and the checksums that are in notes; raises what `decode` would.

        Without a checksum of the elements no memory is taken, else that of a chunk.

        Raises
        ------
        ChecksumError
            Also if the elements are not those of the checksum in the notes.
        BaseError
            Also if the base has not the SHA-256 that is in the notes.
        """
        notes = self.notes
        if notes.elements_crc is None:
            self._check_bytes()
        else:
            self._check_elements(notes.elements_crc)
        base = self._bound_base()
        if base is not None and notes.base_sha256 is not None:
            given = sha256(base.view(self.dtype)).hex()
            if given != notes.base_sha256.hex():
                raise BaseError(
                    f"stored against the base of SHA-256 {notes.base_sha256.hex()}; "
                    f"given was another one, {given}"
                )

    def _check_bytes(self) -> None:
        """Check every byte without allocating an output."""
        self._frame.check_parameters()
        self._decode_range(self._frame, 0, self._frame.elements, self.element_type, None)

    def _check_elements(self, wanted: int) -> None:
        """Check every byte and the crc32c of the elements, chunk by chunk."""
        frame, crc = self._open(), 0
        for index in range(self.chunks):
            _, _, first, count = frame.chunk(index)
            self._limits.check_tensor(count * self.element_type.itemsize, self._input_bytes)
            chunk = np.empty(count, self.dtype)
            self._decode_range(frame, first, count, self.element_type, chunk)
            crc = core.crc32c(little_endian_bytes(chunk), crc)
        if crc != wanted:
            message = f"decoded elements: checksum (found {wanted:#010x}, allowed {crc:#010x})"
            raise ChecksumError(message, None, wanted, crc)

    def _check_first(self, needed: int) -> None:
        if self._frame.coded_bytes:
            self._check_parameters()
            needed += self._frame.coded_bytes
        if self.encoded_bytes <= _CHECK_FIRST_BYTES and needed > _CHEAP_OUTPUT_BYTES:
            self._check_bytes()

    def _check_parameters(self) -> None:
        unit = "bytes of decoded parameters"
        self._limits.check_tensor(self._frame.coded_bytes, self._input_bytes, unit)

    def _open(self) -> core.Frame:
        """Return the frame with its parameters, which the first thread decodes for all."""
        if self._opened is None:
            with self._lock:
                if self._opened is None:
                    self._check_parameters()
                    self._opened = self._frame.with_parameters()
        return self._opened

    def work(self, nbytes: int) -> int:
        """Return how much work decoding to this many bytes is: `LEAST_WORK`."""
        features, factor = self._frame.features, _FIXED_WORK
        if features & _SLOW and not features & _LANES:
            factor = _SLOW_WORK
        elif features & ~_FIXED_WIDTH:
            is_scattered = self.positions != "dense" or self.kind == "delta"
            factor = _SCATTERED_WORK if is_scattered else _CODED_WORK
        return nbytes + factor * self.encoded_bytes

    def _tasks(self, target: ElementType, out: Array, threads: int) -> list[Task]:
        """Return calls that decode the tensor, each a run of chunks."""
        each, flat = self._frame.chunk_elements or max(self.elements, 1), out.reshape(-1)
        runs = runs_of(self.elements, each, self.work(out.nbytes), threads)
        return [
            partial(self._decode_run, start, stop, target, flat[start:stop]) for start, stop in runs
        ]

    def _decode_run(self, start: int, stop: int, target: ElementType, out: Array) -> None:
        frame = self._opened or self._open()
        self._decode_range(frame, self._first + start, stop - start, target, out)

    def _decode_range(
        self, frame: core.Frame, first: int, count: int, target: ElementType, out: Array | None
    ) -> None:
        """Decode elements [first, first + count) into `out`; None: check only."""
        base = self._bound_base()
        if isinstance(self._source, BytesSource):
            frame.decode(first, count, target.id, out, None, 0, base, self._verify)
            return
        limit = _MAPPED_PIECE_BYTES if is_view(self._source) else _PIECE_BYTES
        # Even where nothing is read, a closed source says so.
        pieces = frame.pieces(first, count, limit) or [(first, 0, 0, 0)]
        flat, workspace = None if out is None else out.reshape(-1), core.Workspace()
        for start, length, offset, size in pieces:
            at = start - first
            frame.decode(
                start,
                length,
                target.id,
                None if flat is None else flat[at : at + length],
                self._source.read(offset, size),  # without a name, so it is gone before the next
                offset,
                base,
                self._verify,
                workspace,
            )
            if size >= _FORGOTTEN_BYTES:
                forget(self._source, offset, size)

    # ---- the base ----

    def _bound_base(self) -> Array | None:
        """Return the checked bytes of the base of a delta; None for other kinds.

        The first thread requests the base, and it is kept: it must not be replaced while another
        thread decodes with it.
        """
        if self.kind == "delta" and self._base_bytes is None:
            with self._lock:
                if self._base_bytes is None:
                    self._base_bytes = self._checked_base()
        return self._base_bytes

    def _checked_base(self) -> Array:
        wanted = self._frame.digest().hex()
        base = self._base() if callable(self._base) else self._base
        if base is None:
            raise BaseError(f"stored against the base {wanted}, but no base was given")
        array, _ = as_array(base)
        if array.shape != self.shape or array.dtype != self.dtype:
            raise BaseError(
                f"stored against the base {wanted}, {self.dtype}{list(self.shape)}; "
                f"given was {array.dtype}{list(array.shape)}"
            )
        given = Base.of(array)
        if self._verify and given.digest.hex() != wanted:
            raise BaseError(
                f"stored against the base {wanted}; given was another one, {given.digest.hex()}"
            )
        return given.data

    # ---- parts ----

    def __getitem__(self, index: Index) -> Array:
        """Decode a part of the tensor, by NumPy's basic indexing; only its chunks are read.

        Indices are integers, slices with any step, and one Ellipsis, as in NumPy. Chunks that
        hold no element of the part are not read. What the part takes of the others is decoded a
        chunk at a time, so beside the part no more memory than that of a chunk, or a megabyte, is
        needed.
        """
        part = select(index, self.shape)
        self._limits.check_tensor(part.wanted * self.element_type.itemsize, self._input_bytes)
        if self._opened is None:
            self._check_first(0)
        frame = self._opened or self._open()
        # Copies are made inside a chunk, and changes counted, so of such a chunk all is decoded.
        is_whole = self.positions == "copies" or (
            self.kind == "delta" and self.positions != "dense"
        )
        if part.wanted == 0 or (part.is_range and not is_whole):
            out = np.empty(part.wanted, self.dtype)
            first = self._first + part.first
            self._decode_range(frame, first, part.wanted, self.element_type, out)
            return out.reshape(part.shape)
        each = frame.chunk_elements or frame.elements
        buffer = np.empty(0, self.dtype)  # used again for each block

        def read(first: int, stop: int) -> Array:
            nonlocal buffer
            first, stop = begin, end = self._first + first, self._first + stop
            if is_whole:
                begin, end = first - first % each, min(-(-stop // each) * each, frame.elements)
            count = end - begin
            if len(buffer) < count:
                self._limits.check_tensor(count * self.element_type.itemsize, self._input_bytes)
                buffer = np.empty(count, self.dtype)
            self._decode_range(frame, begin, count, self.element_type, buffer[:count])
            return buffer[first - begin : stop - begin]

        return part.gather(read, self.dtype, each, self._first % each)

    def quantized(self) -> Quantized:
        """Return the tensor as integers and parameters, without arithmetic and fillers."""
        base = self._bound_base()

        def check_memory(needed: int) -> None:
            self._limits.check_tensor(needed, self._input_bytes)

        if self.encoded_bytes <= _CHECK_FIRST_BYTES:
            needed = quantized_bytes(self._frame, self._bytes)
            check_memory(needed)
            self._check_first(needed)
        frame = self._opened or self._open()
        return to_quantized(frame, self._bytes, check_memory, base, self._verify)

    def to_csr(self) -> csr_array:
        """Return the stored elements as a `scipy.sparse.csr_array`, without a dense copy.

        Axes after the first are flattened. SciPy must be installed.
        """
        return to_csr(self.quantized(), limits=self._limits, input_bytes=self._input_bytes)

    def info(self) -> Info:
        """Describe what is stored, and how the bytes are used."""
        return inspect_frame(self._frame, self._bytes, is_view(self._source))
