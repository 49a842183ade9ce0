"""Reads frames: the head, the chunks, and their elements."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc

from .c cimport (
    QC_COPIES, QC_DELTA, QC_DELTA_DIGEST_BYTES, QC_DENSE, QC_MAX_STREAMS, QC_OK, QC_VERIFY,
    QC_WHOLE, QC_WORKSPACE_BYTES, qc_chunk, qc_chunk_codes, qc_chunk_decode_codes, qc_chunk_stored,
    qc_chunk_streams, qc_error, qc_frame, qc_frame_chunks, qc_frame_decode,
    qc_frame_read, qc_groups, qc_note, qc_note_next, qc_status, qc_stored_size, qc_stream_info,
)
from .polling cimport Watch, begin

import numpy as np

from .interrupt import check


cdef enum:
    # Decoding a tensor of up to so many elements, from so many bytes, takes microseconds.
    QUICK_ELEMENTS = 1024
    QUICK_BYTES = 16384
    QUICK_OUTPUT = 8192


cdef class Workspace:
    """The scratch memory of a decoder, for one call at a time."""

    cdef void *memory

    def __cinit__(self):
        self.memory = malloc(QC_WORKSPACE_BYTES)
        if self.memory == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.memory)


cdef class Frame:
    """The checked head of a frame. The data contains at least the head.

    A Frame never changes, so threads can share it. The state of one call, such as the base of a
    delta, is an argument of that call. Elements can be decoded if the parameters are verbatim;
    otherwise use the Frame that `with_parameters` returns.
    """

    cdef qc_frame head
    cdef qc_chunk *table
    cdef const uint8_t[::1] data
    # For a frame with decoded parameters: their memory, and the frame that was read, whose table
    # it shares.
    cdef void *memory
    cdef Frame origin

    def __cinit__(self):
        self.table = NULL
        self.memory = NULL

    def __dealloc__(self):
        # `origin` tells nothing here: the garbage collector sets it to None before.
        if self.memory == NULL:
            PyMem_Free(self.table)
        free(self.memory)

    @staticmethod
    def read(const uint8_t[::1] data, bint whole, bint verify):
        """Read the head; `whole`: the data is the whole frame; `verify`: check the CRCs."""
        cdef Frame frame = Frame.__new__(Frame)
        frame.read_head(data, whole, verify)
        return frame

    cdef int read_head(self, const uint8_t[::1] data, bint whole, bint verify) except -1:
        cdef qc_error error
        cdef qc_status status
        cdef unsigned flags = (QC_WHOLE if whole else 0) | (QC_VERIFY if verify else 0)
        cdef const uint8_t *start = address(data)
        cdef size_t size = data.shape[0]
        self.data = data
        with nogil:
            status = qc_frame_read(start, size, flags, &self.head, &error)
        if status != QC_OK:
            raise failure(status, &error, 0)
        if self.head.chunks <= (<size_t>-1) // sizeof(qc_chunk):
            self.table = <qc_chunk *>PyMem_Malloc(self.head.chunks * sizeof(qc_chunk))
        if self.table == NULL:
            raise MemoryError
        with nogil:
            status = qc_frame_chunks(&self.head, start, self.table, &error)
        if status != QC_OK:
            raise failure(status, &error, 0)
        return 0

    cdef int bind(self, qc_frame *head, const uint8_t[::1] base) except -1:
        """Copy the head for one call, and set the call's base in it."""
        head[0] = self.head
        if head.kind != QC_DELTA or base is None:
            return 0
        if <size_t>base.shape[0] != head.elements * head.item_size:
            raise ValueError(
                f"the base has {base.shape[0]:,} bytes, the tensor {head.elements * head.item_size:,}"
            )
        # Without elements, any address that is not NULL will do.
        head.delta.base = &base[0] if base.shape[0] > 0 else <const void *>head.delta.digest
        return 0

    def with_parameters(self):
        """Return this frame with its coded parameters decoded; itself if none are coded."""
        cdef Frame opened
        if self.head.coded_bytes == 0 or self.memory != NULL:
            return self
        opened = Frame.__new__(Frame)
        opened.memory = malloc(self.head.coded_bytes)
        if opened.memory == NULL:
            raise MemoryError
        opened.head, opened.table, opened.data = self.head, self.table, self.data
        opened.origin = self
        decode_parameters(&opened.head, opened.memory)
        return opened

    def check_parameters(self):
        """Check coded parameters without allocating memory for them."""
        cdef qc_frame head = self.head
        if head.coded_bytes > 0:
            decode_parameters(&head, NULL)

    @property
    def dtype(self):
        return self.head.dtype

    @property
    def kind(self):
        return self.head.kind

    @property
    def positions(self):
        return self.head.positions

    @property
    def shape(self):
        return tuple([self.head.dims[axis] for axis in range(self.head.ndim)])

    @property
    def elements(self):
        return self.head.elements

    @property
    def item_size(self):
        return self.head.item_size

    @property
    def stored_dtype(self):
        """The type of the elements that are stored, before they are scaled."""
        return self.head.stored_dtype

    @property
    def chunk_elements(self):
        return self.head.chunk_elements

    @property
    def chunks(self):
        return self.head.chunks

    @property
    def width(self):
        """Bits per code, or per symbol of kinds that store elements."""
        return self.head.width

    @property
    def gap_width(self):
        return self.head.gap_width

    @property
    def features(self):
        """The codings that may occur, one bit per coding."""
        return self.head.features

    @property
    def frame_bytes(self):
        return self.head.frame_bytes

    @property
    def head_bytes(self):
        return self.head.head_bytes

    @property
    def coded_bytes(self):
        """Size of the coded parameters after decoding."""
        return self.head.coded_bytes

    cdef object groups(self, const qc_groups *groups, size_t entries):
        cdef FrameGroups found
        if groups.count == 0:
            return None
        found = FrameGroups.__new__(FrameGroups)
        found.frame, found.groups, found.entries = self, groups, entries
        return found

    @property
    def codebook(self):
        """The codebooks; None for kinds without them."""
        return self.groups(&self.head.codebook.books, self.head.codebook.entries)

    def codebook_order(self):
        """Return the index of every original entry in ascending order, as bytes; may be empty."""
        cdef size_t entries = self.head.codebook.entries
        return parameter_bytes(self.head.codebook.order, self.head.codebook.books.count * entries)

    @property
    def scales(self):
        """The scales; None if there are none."""
        return self.groups(&self.head.scales, 1)

    @property
    def second_scale(self):
        """The number that multiplies each of the scales; None if there is none."""
        return self.head.second_scale if self.head.has_second_scale else None

    @property
    def zero_point(self):
        """The zero point of all elements, if there are no `zero_points`."""
        return self.head.zero_points.common

    @property
    def zero_points(self):
        """One zero point per scale; None if `zero_point` applies to all elements."""
        return self.groups(&self.head.zero_points.groups, 1)

    def digest(self):
        """Return the digest of the base (kind delta); empty for other kinds."""
        return parameter_bytes(self.head.delta.digest, QC_DELTA_DIGEST_BYTES)

    @property
    def notes_bytes(self):
        """Size of all notes, without the length before them."""
        return self.head.notes.size

    def notes(self):
        """Return the notes as bytes by id, in the order of the frame."""
        cdef qc_note note
        cdef size_t at = 0
        found = {}
        while qc_note_next(&self.head.notes, &at, &note):
            found[note.id] = parameter_bytes(note.bytes, note.size)
        return found

    def chunk(self, size_t index):
        """Return (offset, bytes, first element, elements) of a chunk."""
        if index >= self.head.chunks:
            raise IndexError(index)
        cdef qc_chunk *chunk = &self.table[index]
        return chunk.offset, chunk.bytes, chunk.first, chunk.elements

    def pieces(self, size_t first, size_t count, size_t limit):
        """Split elements [first, first + count) into pieces: (first, count, offset, bytes) of each.

        The bytes are those of the chunks that hold the piece: at most `limit`, or one chunk.
        An empty tensor has one piece, because it may have a chunk, which must be checked.
        """
        cdef size_t index, last, stop, begin = first, end, size
        self.find_chunks(first, count, &index, &stop)
        found = []
        while index < stop:
            last, size = index, self.table[index].bytes
            while last + 1 < stop and size < limit and self.table[last + 1].bytes <= limit - size:
                last += 1
                size += self.table[last].bytes
            end = min(self.table[last].first + self.table[last].elements, first + count)
            found.append((begin, end - begin, self.table[index].offset, size))
            index, begin = last + 1, end
        return found

    cdef int find_chunks(self, size_t first, size_t count, size_t *begin, size_t *end) except -1:
        """Find the chunks [begin, end) that hold elements [first, first + count)."""
        cdef size_t each = self.head.chunk_elements
        if first > self.head.elements or count > self.head.elements - first:
            raise IndexError(f"{count:,} elements from {first:,} of {self.head.elements:,}")
        begin[0], end[0] = 0, self.head.chunks
        if self.head.elements > 0 and count == 0:
            end[0] = 0
        elif each > 0 and count > 0:
            begin[0], end[0] = first // each, (first + count - 1) // each + 1
        return 0

    cdef qc_chunk *checked(self, size_t index, const uint8_t[::1] data) except NULL:
        # C relies on the size of the buffer.
        if index >= self.head.chunks:
            raise IndexError(index)
        if <size_t>data.shape[0] != self.table[index].bytes:
            raise ValueError(
                f"the chunk: {data.shape[0]:,} bytes, needed are {self.table[index].bytes:,}"
            )
        return &self.table[index]

    cdef int check_chunks(
        self, size_t first, size_t count, size_t offset, size_t size
    ) except -1:
        """Check that `size` bytes from `offset` on have the chunks of elements, as C assumes."""
        cdef size_t begin, end, before
        self.find_chunks(first, count, &begin, &end)
        if begin == end:
            return 0
        before = self.table[end - 1].offset - offset
        if (
            offset > self.table[begin].offset
            or size < before
            or size - before < self.table[end - 1].bytes
        ):
            raise ValueError(
                f"{size:,} bytes from byte {offset:,} are not all of the chunks {begin} to {end}"
            )
        return 0

    def decode(
        self,
        size_t first,
        size_t count,
        unsigned dtype,
        object out,
        const uint8_t[::1] data,
        size_t offset,
        const uint8_t[::1] base,
        bint verify,
        Workspace workspace=None,
    ):
        """Decode elements [first, first + count) into `out`, chunk after chunk.

        `out` is a writable buffer of that many elements, or None to check only. `data` has the
        frame's bytes from `offset` on: at least the chunks that hold the elements. None: the head
        was read from the whole frame, which is used again. `base` has all
        elements of the base for kind delta, otherwise it is None. Its digest is not checked here.
        """
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head
        cdef Watch watch
        cdef Py_buffer to
        cdef size_t size
        cdef const uint8_t *start
        cdef void *memory
        if data is None:
            data = self.data
        size = data.shape[0]
        # The address of an empty view must not be taken; then C reads nothing.
        start = &data[0] if size > 0 else <const uint8_t *>&self.head
        self.check_chunks(first, count, offset, size)
        self.bind(&head, base)
        head.poll = begin(&watch, check)
        if workspace is None:
            workspace = Workspace()
        memory = workspace.memory
        get_output(out, &to, count, dtype)
        # Others may run meanwhile, unless that would take longer than the call.
        if head.elements <= QUICK_ELEMENTS and size <= QUICK_BYTES:
            status = qc_frame_decode(
                &head, self.table, start, offset, first, count, <int>dtype, to.buf,
                QC_VERIFY if verify else 0, memory, &error,
            )
        else:
            with nogil:
                status = qc_frame_decode(
                    &head, self.table, start, offset, first, count, <int>dtype, to.buf,
                    QC_VERIFY if verify else 0, memory, &error,
                )
        release_output(out, &to)
        if status != QC_OK:
            raise failure(status, &error, 0)

    def decode_codes(
        self, size_t index, const uint8_t[::1] data, const uint8_t[::1] base, bint verify
    ):
        """Decode a chunk's (uint32 positions from the chunk's start or None, codes as bytes)."""
        cdef qc_error error
        cdef qc_status status
        cdef qc_frame head
        cdef Watch watch
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef const uint8_t *start = address(data)
        cdef size_t count
        cdef bint is_full = self.head.positions == QC_DENSE or self.head.positions == QC_COPIES
        cdef uint32_t[::1] positions
        cdef uint8_t[::1] codes
        cdef uint32_t *to_positions = NULL
        cdef uint8_t *to_codes = NULL
        cdef void *workspace
        self.bind(&head, base)
        head.poll = begin(&watch, check)
        count = self.stored(index, data, codes=True)
        position_array = np.empty(0 if is_full else count, np.uint32)
        code_array = np.empty(count * qc_stored_size(&self.head), np.uint8)
        positions, codes = position_array, code_array
        if count > 0:
            to_codes = &codes[0]
            to_positions = NULL if is_full else &positions[0]
        workspace = malloc(QC_WORKSPACE_BYTES)
        if workspace == NULL:
            raise MemoryError
        with nogil:
            status = qc_chunk_decode_codes(
                &head, chunk, start, count, to_positions, to_codes,
                QC_VERIFY if verify else 0, workspace, &error,
            )
        free(workspace)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return None if is_full else position_array, code_array

    def stored(self, size_t index, const uint8_t[::1] data, bint codes=False):
        """Return the number of stored elements of a chunk, or of what `decode_codes` returns."""
        cdef qc_error error
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef size_t count
        cdef qc_status status
        count_of = qc_chunk_codes if codes else qc_chunk_stored
        status = count_of(&self.head, chunk, address(data), &count, &error)
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return count

    def streams(self, size_t index, const uint8_t[::1] data):
        """Return [(role, coding, bytes, offset in the chunk)] of a chunk's streams."""
        cdef qc_error error
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef qc_stream_info infos[QC_MAX_STREAMS]
        cdef size_t count
        cdef qc_status status = qc_chunk_streams(
            &self.head, chunk, address(data), infos, &count, &error
        )
        if status != QC_OK:
            raise failure(status, &error, chunk.offset)
        return streams_of(infos, count)

    def first_streams(self, size_t index, const uint8_t[::1] data):
        """Return the streams before the first fault, and whether there is none."""
        cdef qc_stream_info infos[QC_MAX_STREAMS]
        cdef size_t count
        cdef qc_chunk *chunk = self.checked(index, data)
        cdef qc_status status = qc_chunk_streams(
            &self.head, chunk, address(data), infos, &count, NULL
        )
        return streams_of(infos, count), status == QC_OK


cdef list streams_of(const qc_stream_info *infos, size_t count):
    return [
        (infos[i].role, infos[i].coding, infos[i].bytes, infos[i].offset) for i in range(count)
    ]
