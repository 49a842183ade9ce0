"""Ctrl-C takes effect within a second, and leaves no thread and no file."""

import gc
import mmap
import os
import re
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

import qcodec
from qcodec import streams
from qcodec._base.delta_base import Base
from qcodec._base.threads import in_order, shared_among
from qcodec._core import core
from qcodec._core.interrupt import Stopped, check
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.saving import encode_tensors
from qcodec._io.atomic import replace_file
from qcodec.cli.main import main
from qcodec.codecs import Codebook
from qcodec.quantize import n_of_m_mask, quantize_codebook
from qcodec.recipes import as_recipe
from tests.writers.frame_writer import Frame, Parts, assemble, write_fields
from tests.writers.stream_writer import stream_of, vu

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")

# Of some bytes each, 4 M symbols of eight decisions, all 0: models tree and neighbours.
TREE = stream_of(3, b"\0" + bytes(990))
NEIGHBOURS = stream_of(3, bytes.fromhex("03ff01ff0101010a") + bytes(2474))
CHUNK_ELEMENTS = 1 << 22


def slow_frame(stream, chunks=60):
    """Seconds of decoding, in some thousand bytes."""
    elements = chunks * CHUNK_ELEMENTS
    frame = Frame("u8", "bytes", "dense", (elements,), (), (), CHUNK_ELEMENTS)
    return assemble(
        Parts(write_fields(frame, 127), vu(CHUNK_ELEMENTS), b"", tuple([stream] * chunks))
    )


def slow_encoded(chunks=60):
    return qcodec.Encoded(slow_frame(TREE, chunks))


def weights(*shape):
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def random_bytes(count):
    return np.random.default_rng(0).integers(0, 256, count, np.uint8)


def zero_bytes(count):
    """Zeros that may be more than there is memory: they cannot be written to, so none is kept."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, count, flags=flags, prot=mmap.PROT_READ), np.uint8)


def codes_of_kernels():
    return quantize_codebook(weights(1024, 400, 3, 3), 4)


@contextmanager
def interrupted(after=0.2):
    """Sends SIGINT into the body, which has to end by KeyboardInterrupt in time.

    The time is that of the processor, of all threads together: on a loaded machine the clock
    says little. The same threads are there before and after.
    """
    sent = []
    # Python drops an interrupt that it handles inside a destructor, or a callback of the garbage
    # collector (of which Hypothesis has one): garbage of other tests is no part of this one.
    gc.collect()
    gc.disable()

    def send():
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    before = threading.enumerate()
    timer = threading.Timer(after, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (a context manager has one statement)
            try:
                yield
            finally:
                taken = time.process_time() - sent[0] if sent else 0
                timer.cancel()
                with suppress(KeyboardInterrupt):  # if it was sent just now, and too late
                    timer.join()
    finally:
        timer.join()
        gc.enable()
    assert taken < 1.0
    assert threading.enumerate() == before


def call(function, *arguments, **options):
    return lambda: function(*arguments, **options)


# Each of seconds, by size or by a hostile input; what is prepared before is not part of the call.
LONG_CALLS = {
    "decode": lambda: slow_encoded().decode,
    "decode by neighbours": lambda: call(qcodec.decode, slow_frame(NEIGHBOURS)),
    "verify": lambda: slow_encoded().verify,
    "a slice": lambda: call(slow_encoded().__getitem__, slice(1, -1, 2)),
    "codes": lambda: slow_encoded(chunks=30).quantized,
    "encode a codebook": lambda: call(qcodec.encode, codes_of_kernels(), profile="small", effort=9),
    "encode a stream": lambda: call(streams.encode, random_bytes(1 << 24), "contexts"),
    "decode a stream": lambda: call(streams.decode, stream_of(3, bytes(25_000)), 100_000_000, 8),
    "k-means++": lambda: call(quantize_codebook, weights(6_000_000), 8, "k-means++"),
    "k-means of many groups": lambda: call(
        quantize_codebook, weights(5000, 1000), 8, "exact", per=0
    ),
    "mask of n of m": lambda: call(n_of_m_mask, weights(40_000_000), 32, 64),
    "digest of a base": lambda: lambda: Base(zero_bytes(1 << 36)).digest,
}


@pytest.mark.parametrize("name", LONG_CALLS)
def test_a_long_call_is_interrupted_within_a_second(name):
    long_call = LONG_CALLS[name]()
    with interrupted():
        long_call()


def test_decoding_on_threads_is_interrupted_and_the_tensor_still_usable():
    encoded = slow_encoded()
    out = np.empty(encoded.shape, np.uint8)
    with interrupted():
        encoded.decode(out=out, threads=3)
    assert encoded[:3].tolist() == qcodec.decode(slow_frame(TREE, 1))[:3].tolist()


def test_encoding_on_threads_is_interrupted():
    quantized = quantize_codebook(weights(4096, 4096), 4)
    with interrupted():
        qcodec.encode(quantized, profile="small", effort=9, threads=3)


def test_choosing_numbers_on_threads_is_interrupted():
    values = zero_bytes(1 << 33).view(np.float32)
    with interrupted(), shared_among(3):
        core.ternary_best(values, 2)


def test_saving_on_threads_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    qcodec.save_file({"w": np.zeros(3, np.float32)}, path)
    before = path.read_bytes()
    tensors = {f"w{i}": weights(1500, 1500) + i for i in range(8)}
    with interrupted():
        qcodec.save_file(tensors, path, recipe=Codebook(4), profile="small", effort=9, threads=3)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("threads", [1, 3])
def test_loading_a_file_is_interrupted(tmp_path, threads):
    path = tmp_path / "net.qcodec"
    write_pack_of(slow_frame(TREE), path)
    with interrupted():
        qcodec.load_file(path, threads=threads, backend="pread")


@pytest.mark.parametrize(
    "command", [["verify"], ["decode", "--threads", "3"], ["encode", "--profile", "small"]]
)
def test_a_command_exits_with_130_and_leaves_no_file(tmp_path, command, capsys):
    path = tmp_path / "net.qcodec"
    write_pack_of(slow_frame(TREE), path)
    output = [] if command == ["verify"] else [str(tmp_path / "out.safetensors")]
    with interrupted():
        status = main([command[0], str(path), *output, *command[1:]])
        assert status == 130
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [path]
    assert capsys.readouterr() == ("", "")


def write_pack_of(frame, path):
    path.write_bytes(b"".join(write_pack([PackItem("w", "frame", frame)])))


def test_an_interrupted_write_leaves_no_file(tmp_path):
    def parts():
        yield b"some"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "net.qcodec", parts())
    assert list(tmp_path.iterdir()) == []


# ---- threads ----


def spin():
    """Work without end, for a pool that stops."""
    while True:
        check()
        time.sleep(0.001)


def test_an_error_in_a_thread_ends_all_of_them():
    before, ended = threading.enumerate(), []

    def work(item):
        if item == 0:
            raise ValueError("this one")
        try:
            spin()
        except Stopped:
            ended.append(item)
            raise

    with pytest.raises(ValueError, match="this one"):
        list(in_order(work, range(100), threads=3))
    assert threading.enumerate() == before
    assert len(ended) <= 3  # those that wait are never begun


def test_a_pool_inside_a_pool_ends_with_it():
    before = threading.enumerate()

    def outer(item):
        if item == 1:
            raise ValueError("this one")
        return list(in_order(lambda _: spin(), range(2), threads=2))

    with pytest.raises(ValueError, match="this one"):
        list(in_order(outer, [1, 0], threads=2))
    assert threading.enumerate() == before


def test_an_iterator_that_is_closed_ends_its_threads():
    before = threading.enumerate()
    results = in_order(lambda item: item if item == 0 else spin(), range(4), threads=2)
    assert next(results) == 0
    results.close()
    assert threading.enumerate() == before


def test_results_come_in_the_order_of_the_items():
    def late(item):
        time.sleep(0.01 * (5 - item))
        return item

    assert list(in_order(late, range(5), threads=5)) == [0, 1, 2, 3, 4]


def test_threads_below_one_are_refused():
    with pytest.raises(ValueError, match="threads=0: at least 1"):
        list(in_order(len, ["a"], threads=0))


def test_an_error_while_saving_on_threads_names_its_tensor_and_ends_the_others():
    before = threading.enumerate()
    tensors = {"bad": np.full((64, 64), np.nan, np.float32)}
    tensors |= {f"w{i}": weights(1000, 1000) for i in range(4)}
    with pytest.raises(ValueError, match=r"^tensor 'bad': .*NaN"):
        encode_tensors(tensors, as_recipe(Codebook(4)), threads=3)
    assert threading.enumerate() == before


# ---- sorting, which is ours so that it can be interrupted ----


@pytest.mark.parametrize(
    "values",
    [
        weights(3000),
        np.zeros(100, np.float32),
        np.array([0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38], np.float32),
        np.array([np.inf, -np.inf, 1, -1], np.float32),
        np.arange(5, dtype=np.float32)[::-1].copy(),
        np.ones(1, np.float32),
        np.empty(0, np.float32),
    ],
)
def test_values_are_sorted_as_numpy_sorts_them(values):
    ordered = values.copy()
    core.sort(ordered)
    assert np.array_equal(ordered, np.sort(values))


# ---- the survey ----

#: How the time of every C call without the interpreter's lock is bounded, by part of core.pyx and
#: by function: it asks a poll, of its own or of the caller's frame; it is made for a piece at a
#: time; or it is short.
GIL_FREE = {
    "parameters": {
        "decode_parameters": "asks",
    },
    "decode": {
        "read_head": "short: heads are at most some numbers a chunk, which the file has room for",
        "decode": "asks",
        "decode_codes": "asks",
    },
    "encode": {
        "copies_may_pay": "short: a sample",
        "chunk_least": "short: counts the symbols of a chunk",
        "encode_parameters": "caller asks",
        "encode_chunk": "asks",
        "write": "asks",
    },
    "equal_steps": {
        "group_ranges": "asks",
        "group_squares": "asks",
        "affine_codes": "asks",
        "fixed_point_errors": "asks",
    },
    "exact_forms": {
        "distinct": "asks",
        "renumber": "short: at the speed of memory",
        "equal_steps": "asks",
        "step_codes": "asks",
    },
    "halves": {
        "scaled_halves": "asks",
        "halves": "asks",
    },
    "position_costs": {
        "count_stored": "asks",
        "choose_stored": "asks",
    },
    "numeric": {
        "convert": "pieces",
        "sort": "asks",
        "kmeans_lloyd": "asks",
        "kmeans_exact": "asks",
        "kmeans_fast": "asks",
        "group_codebooks": "asks",
        "assign_by_thresholds": "pieces",
        "assign_by_cost": "pieces",
        "ternary_best": "asks",
        "all_finite": "pieces",
        "magnitudes_between": "pieces",
        "mask_above": "short: at the speed of memory",
        "mask_n_of_m": "pieces",
    },
    "deviation_sums": {
        "kept_deviation_sums": "asks",
        "deviation_sums": "short: a sum per cut",
    },
    "tasks": {
        "run": "asks",
        "merge": "short: a histogram",
        "in_pieces": "pieces",
    },
    "ternary": {
        "ternary_thresholds": "asks",
        "sums_beyond": "asks",
        "ternary_codes": "asks",
    },
    "pack": {
        "pack_read": "short: as many names as the limit of tensors allows",
        "pack_find": "short: a binary search",
        "pack_write_content": "short: as many names as there are tensors",
    },
    "small_frames": {
        "decode_whole": "short: at most 64 KiB",
    },
    "stream": {
        "crc32c": "pieces",
        "encode_stream": "asks",
        "decode_stream": "asks",
        "relative_index_width": "short: some nanoseconds a position",
        "relative_index_encode": "short: some nanoseconds a position",
        "relative_index_decode": "short: some nanoseconds a position",
    },
}
FUNCTION = re.compile(r"^ *(?:cp?def|def) [^(=\n]*?(\w+)\(", re.MULTILINE)
CORE = Path(qcodec.__file__).parent / "_core"


def functions_of(part):
    """Name and text of each function."""
    text = (CORE / f"{part}.pxi").read_text()
    found = list(FUNCTION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {match[1]: text[match.start() : end] for match, end in zip(found, ends, strict=True)}


def test_calls_without_the_lock_are_in_the_parts_of_the_module_alone():
    text = (CORE / "core.pyx").read_text()
    assert "with nogil" not in text
    included = re.findall(r'^include "(\w+)\.pxi"$', text, re.MULTILINE)
    assert set(included) == {path.stem for path in CORE.glob("*.pxi")} == set(GIL_FREE)


@pytest.mark.parametrize("part", GIL_FREE)
def test_every_call_without_the_lock_has_a_bound(part):
    free = {name: text for name, text in functions_of(part).items() if "with nogil" in text}
    assert set(free) == set(GIL_FREE[part])
    for name, text in free.items():
        bound = GIL_FREE[part][name]
        assert ("begin(&watch, check)" in text) == (bound == "asks"), name
        assert ("check_signals(check)" in text) == (bound == "pieces"), name
        assert ("cdef object" in text and "qc_frame *head" in text) == (bound == "caller asks"), (
            name
        )
        assert bound in ("asks", "caller asks", "pieces") or bound.startswith("short: "), name
