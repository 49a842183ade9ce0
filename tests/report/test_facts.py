"""The facts of a file: each is computed here once more, in another way."""

import json
import math
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec.report import STAGES, gather
from qcodec.report.histogram import SAMPLE, histogram
from tests.report.nets import KINDS, pruned, save, weights

DEMO = ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight")


@pytest.mark.parametrize("kind", KINDS)
def test_facts_of_every_kind_add_up_and_are_those_of_the_decoded_tensor(tmp_path, kind):
    codec, make, text = KINDS[kind]
    array = make()
    path, original = save(tmp_path, {"fc.weight": array}, {"weight$": codec})
    facts = gather(path, original)
    (tensor,) = facts.tensors
    decoded = qcodec.load_file(path)["fc.weight"]
    assert (tensor.codec, tensor.shape, tensor.dtype) == (text, array.shape, "float32")
    assert facts.bytes == path.stat().st_size
    assert sum(facts.parts.values()) == facts.bytes
    assert sum(tensor.parts.values()) == tensor.bytes == facts.bytes - facts.head_bytes
    assert tensor.kept == np.count_nonzero(decoded)
    assert tensor.stages["float"] == array.nbytes
    assert tensor.stages["coded"] == tensor.bytes
    if codec.is_lossless:
        assert (tensor.is_exact, tensor.sqnr_db) == (True, None)
    else:
        assert tensor.is_exact is False
        assert tensor.sqnr_db == pytest.approx(qcodec.sqnr(array, decoded))
        assert facts.sqnr_db == pytest.approx(tensor.sqnr_db)
    assert json.loads(json.dumps(facts.as_dict(), allow_nan=False))["tensors"][0]["codec"] == text


@pytest.mark.parametrize(
    "kind", ["codebook", "affine", "fixed point", "ternary", "deep compression"]
)
def test_codes_are_the_values_that_occur_and_how_often(tmp_path, kind):
    codec, make, _ = KINDS[kind]
    path, _ = save(tmp_path, {"fc.weight": make()}, {"weight$": codec})
    (tensor,) = gather(path).tensors
    decoded = qcodec.load_file(path)["fc.weight"]
    values, counts = np.unique(decoded, return_counts=True)
    found = {
        value: count
        for value, count in zip(tensor.codes.values, tensor.codes.counts, strict=True)
        if count
    }
    expected = dict(zip(values.tolist(), counts.tolist(), strict=True))
    if tensor.positions != "dense":
        del expected[0.0]
    assert found == pytest.approx(expected)
    assert list(tensor.codes.values) == sorted(tensor.codes.values)


@pytest.mark.parametrize("kind", ["codebook", "affine by row", "deep compression"])
def test_entropy_counts_absent_weights_as_a_symbol(tmp_path, kind):
    codec, make, _ = KINDS[kind]
    path, _ = save(tmp_path, {"fc.weight": make()}, {"weight$": codec})
    (tensor,) = gather(path).tensors
    with qcodec.safe_open(path) as file:
        stored = file.encoded("fc.weight").quantized()
    symbols = np.full(stored.size, -1)
    symbols[stored.mask.reshape(-1)] = stored.codes
    _, counts = np.unique(symbols, return_counts=True)
    shares = counts / counts.sum()
    assert tensor.entropy_bits == pytest.approx(-(shares * np.log2(shares)).sum())
    used = sum(tensor.parts.get(part, 0) for part in ("values", "positions"))
    assert tensor.code_bits == pytest.approx(8 * used / stored.size)


def normal(random):
    return np.clip(random.normal(8, 2.2, 300_000), 0, 15)


def halving(random):
    """For which Huffman codes have no loss."""
    return np.minimum(random.geometric(0.5, 300_000), 6)


def permuted_codebook(distribution):
    """Codes of a skewed distribution, whose codebook is in no order."""
    random = np.random.default_rng(3)
    symbols = distribution(random).astype(np.uint8)
    order = random.permutation(16)
    values = np.empty(16, np.float32)
    values[order] = np.linspace(-1, 1, 16)
    book = qcodec.Groups(values[None])
    return qcodec.Quantized(
        (600, 500), "float32", "codebook", order[symbols].astype(np.uint8), None, 4, book
    )


@pytest.mark.parametrize(
    ("coding", "profile", "distribution"),
    [
        ("lanes_huffman", "balanced", halving),
        ("lanes_tans", "balanced", normal),
        ("bitpacked", "fixed", normal),
    ],
)
def test_code_lengths_add_up_to_the_stream(tmp_path, coding, profile, distribution):
    path = tmp_path / "net.qcodec"
    stored = permuted_codebook(distribution)
    qcodec.save_file({"fc.weight": stored}, path, profile=profile)
    (tensor,) = gather(path).tensors
    codes = tensor.codes
    assert (codes.coding, tensor.codings) == (coding, (coding,))
    bits = sum(count * length for count, length in zip(codes.counts, codes.lengths, strict=True))
    assert bits / 8 == pytest.approx(tensor.parts["values"], rel=0.012)
    values, counts = np.unique(stored.dequantize(), return_counts=True)
    present = {value: n for value, n in zip(codes.values, codes.counts, strict=True) if n}
    assert present == pytest.approx(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    if coding != "bitpacked":  # a code that occurs more often is not longer
        pairs = sorted(zip(codes.counts, codes.lengths, strict=True))
        lengths = [length for count, length in pairs if count]
        assert lengths == sorted(lengths, reverse=True)
        assert sum(2.0**-length for length in lengths) == pytest.approx(1)


def test_code_lengths_are_those_of_the_stored_order_of_a_codebook(tmp_path, monkeypatch):
    """Codes of sorted codebooks have other numbers in the file."""
    monkeypatch.setattr("qcodec._frame.encode._smaller", lambda frame, other: other or frame)
    path, stored = tmp_path / "net.qcodec", permuted_codebook(halving)
    qcodec.save_file({"fc.weight": stored}, path)
    with qcodec.safe_open(path) as file:
        assert file.encoded("fc.weight").frame.with_parameters().codebook_order()
    codes = gather(path).tensors[0].codes
    pairs = sorted(zip(codes.counts, codes.lengths, strict=True))
    lengths = [length for count, length in pairs if count]
    assert lengths == sorted(lengths, reverse=True)
    values, counts = np.unique(stored.dequantize(), return_counts=True)
    found = dict(zip(codes.values, codes.counts, strict=True))
    assert [found[value] for value in values.tolist()] == counts.tolist()


@pytest.mark.parametrize("coding", ["lanes_huffman", "lanes_tans"])
@pytest.mark.parametrize(("width", "spread", "rare"), [(8, 30, 0), (6, 9, 0), (8, 1, 0.03)])
def test_code_lengths_of_lanes_with_low_bits_and_escapes(coding, width, spread, rare):
    from qcodec import streams
    from qcodec.report.code_lengths import _READERS, _body

    random = np.random.default_rng(1)
    array = np.clip(random.normal(1 << (width - 1), spread, 1 << 18), 0, (1 << width) - 1)
    is_rare = random.random(len(array)) < rare
    array = np.where(is_rare, random.integers(0, 1 << width, len(array)), array).astype(np.uint8)
    data = np.frombuffer(streams.encode(array, coding, width), np.uint8)
    lengths = _READERS[coding](_body(data), width)
    counts = np.bincount(array)
    bits = sum(counts[symbol] * lengths[symbol] for symbol in np.flatnonzero(counts))
    assert bits / 8 == pytest.approx(len(data), rel=0.012)


@pytest.mark.parametrize("density", [1, 0.2])
def test_code_lengths_of_chunks_that_differ_add_up_to_the_streams(tmp_path, density):
    """The first chunk's weights are small, as the rows of words are that nobody used."""
    random = np.random.default_rng(0)
    array = random.normal(size=(1200, 1000)) * np.linspace(0.2, 2, 1200)[:, None]
    array[random.random(array.shape) > density] = 0
    codec = qcodec.Codebook(4) if density == 1 else qcodec.DeepCompression(4, positions="mask")
    path, _ = save(tmp_path, {"fc.weight": array.astype("f4")}, {"weight$": codec})
    (tensor,) = gather(path).tensors
    codes = tensor.codes
    with qcodec.safe_open(path) as file:
        assert file.encoded("fc.weight").chunks >= 3
        sections = {one.name: one.bytes for one in file.info("fc.weight").sections}
    bits = sum(count * length for count, length in zip(codes.counts, codes.lengths, strict=True))
    assert codes.coding.startswith("lanes_")
    assert bits / 8 == pytest.approx(sections["values"], rel=0.012)


@pytest.mark.parametrize("symbols", [3, 200])
def test_code_lengths_of_huffman_are_complete_and_give_the_length_of_the_stream(symbols):
    from qcodec import streams
    from qcodec.report.code_lengths import _body, _huffman

    random = np.random.default_rng(symbols)
    array = np.minimum(random.geometric(min(8 / symbols, 0.6), 40_000), symbols - 1)
    array[::1000] = symbols - 1
    data = np.frombuffer(streams.encode(array, "huffman", width=8), np.uint8)
    lengths = _huffman(_body(data), 8)
    counts = np.bincount(array)
    assert sorted(lengths) == np.flatnonzero(counts).tolist()
    assert sum(2.0**-length for length in lengths.values()) == 1
    bits = sum(counts[symbol] * length for symbol, length in lengths.items())
    assert 0 <= len(data) - bits / 8 < 150


def test_stages_are_the_files_that_the_demo_writes(tmp_path):
    """Its three files are encoded from the float net; here, from the last file alone."""
    from qcodec import demo

    report = demo.measure(tmp_path)
    facts = gather(tmp_path / "coded.qcodec")
    assert facts.stages == {
        **{stage: report["files"][stage] - report["head_bytes"][stage] for stage in STAGES},
        "file": report["files"]["coded"],
    }
    for stage in STAGES[1:3]:
        with qcodec.safe_open(tmp_path / f"{stage}.qcodec") as file:
            for tensor in facts.tensors:
                assert tensor.stages[stage] == file.info(tensor.name).bytes, (stage, tensor.name)


def test_a_pruned_tensor_that_is_stored_densely_is_counted_as_pruned(tmp_path):
    random = np.random.default_rng(0)
    array = (random.normal(size=(64, 64)) * (random.random((64, 64)) < 0.5)).astype("f4")
    codec = qcodec.Sparse(qcodec.Codebook(4), positions="dense")
    path, _ = save(tmp_path, {"fc.weight": array}, {"weight$": codec})
    (tensor,) = gather(path).tensors
    assert tensor.positions == "dense"
    assert tensor.kept_percent == pytest.approx(50, abs=2)
    assert tensor.stages["pruned"] < 0.6 * array.nbytes


def test_a_plain_file_has_facts_and_every_stage_is_its_bytes(tmp_path):
    tensors = {"a": weights(), "steps": np.arange(5), "flags": np.array([True, False])}
    _, original = save(tmp_path, tensors)
    facts = gather(original, original)
    assert {tensor.codec for tensor in facts.tensors} == {"not encoded"}
    assert all(tensor.is_exact for tensor in facts.tensors)
    assert facts.stages == dict.fromkeys(STAGES, facts.dense_bytes) | {"file": facts.bytes}
    assert facts.sqnr_db is None
    assert {tensor.name: tensor.kept for tensor in facts.tensors} == {
        "a": np.count_nonzero(tensors["a"]), "steps": 4, "flags": 1,
    }  # fmt: skip


def test_a_delta_has_facts_with_its_base_and_a_note_without(tmp_path):
    base = {"fc.weight": weights()}
    changed = {"fc.weight": weights() * np.float32(1.001)}
    safetensors.numpy.save_file(base, tmp_path / "base.safetensors")
    path = tmp_path / "net.qcodec"
    qcodec.save_file(changed, path, recipe=qcodec.Delta(tmp_path / "base.safetensors"))
    (tensor,) = gather(path).tensors
    assert (tensor.codec, tensor.stages, tensor.values) == ("delta", None, None)
    assert "base" in tensor.note
    (tensor,) = gather(path, base=tmp_path / "base.safetensors").tensors
    assert tensor.note == ""
    assert tensor.kept == np.count_nonzero(changed["fc.weight"])


def test_other_names_and_copies_are_counted_once(tmp_path):
    shared = weights()
    tensors = {"embedding": shared, "head": shared, "half": shared.astype("f2").astype("f4")}
    path = tmp_path / "net.qcodec"
    qcodec.save_file(tensors, path)
    facts = gather(path)
    found = {tensor.name: tensor for tensor in facts.tensors}
    assert found["head"].same_as == "embedding" or found["embedding"].same_as == "head"
    assert facts.elements == 2 * shared.size
    assert facts.dense_bytes == 2 * shared.nbytes
    assert sum(facts.parts.values()) == facts.bytes


def test_what_is_attached_is_a_part_of_the_file(tmp_path):
    path = tmp_path / "net.qcodec"
    qcodec.save_file({"a": weights()}, path, attached={"words.txt": b"the of and to" * 50})
    facts = gather(path)
    assert facts.parts["attached"] == facts.attached["words.txt"] > 0
    assert sum(facts.parts.values()) == facts.bytes


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("empty", np.zeros((0, 4), np.float32)),
        ("scalar", np.float32(3.5)),
        ("not finite", np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)),
        ("nothing finite", np.full(4, np.nan, np.float32)),
        ("one value", np.full((40, 40), -2.5, np.float32)),
        ("zeros", np.zeros((40, 40), np.float32)),
        ("large", np.array([1e308, -1e308])),
        ("integers", np.array([-(2**63), 2**63 - 1])),
        ("flags", np.array([True, False, True])),
        ("half", np.linspace(-1, 1, 99).astype(np.float16)),
    ],
)
def test_unusual_tensors_have_facts_that_json_can_hold(tmp_path, name, array):
    path, original = save(tmp_path, {name: np.asarray(array)})
    facts = gather(path, original)
    (tensor,) = facts.tensors
    assert tensor.is_exact
    assert tensor.elements == np.asarray(array).size
    json.dumps(facts.as_dict(), allow_nan=False)
    if tensor.values is not None:
        assert sum(tensor.values.counts) + tensor.values.below + tensor.values.above == (
            tensor.values.elements
        )


@pytest.mark.parametrize(
    ("other", "note"),
    [
        ({"another": weights()}, "not in the original"),
        ({"fc.weight": weights()[:10]}, "of another shape in the original"),
    ],
)
def test_an_original_that_does_not_fit_is_a_note(tmp_path, other, note):
    path, _ = save(tmp_path, {"fc.weight": weights()})
    safetensors.numpy.save_file(other, tmp_path / "other.safetensors")
    (tensor,) = gather(path, tmp_path / "other.safetensors").tensors
    assert (tensor.note, tensor.is_exact, tensor.sqnr_db) == (note, None, None)


def test_a_broken_tensor_is_a_note_and_the_others_have_facts(tmp_path):
    random = np.random.default_rng(0)
    tensors = {name: random.standard_normal((1100, 1100)).astype("f4") for name in "ab"}
    path, _ = save(tmp_path, tensors)
    with qcodec.safe_open(path) as file:
        place = file.directory.tensors["a"]
    data = bytearray(path.read_bytes())
    data[place.offset + place.size // 2] ^= 1
    path.write_bytes(data)
    found = {tensor.name: tensor for tensor in gather(path).tensors}
    assert "checksum" in found["a"].note
    assert found["a"].values is None
    assert found["b"].note == ""
    assert found["b"].values is not None


def test_the_sqnr_of_a_file_is_that_of_all_its_weights_together(tmp_path):
    tensors = {"a.weight": weights(), "b.weight": 30 * pruned(), "bias": np.ones(4, "f4")}
    recipe = {"a.weight": qcodec.Codebook(2), "b.weight": qcodec.Affine(8)}
    path, original = save(tmp_path, tensors, recipe)
    decoded = qcodec.load_file(path)
    flat = [
        np.concatenate([one[name].reshape(-1) for name in tensors]) for one in (tensors, decoded)
    ]
    assert gather(path, original).sqnr_db == pytest.approx(qcodec.sqnr(*flat), abs=1e-6)


def test_one_tensor_at_a_time_is_in_memory(tmp_path):
    random = np.random.default_rng(0)
    tensors = {f"{n}.weight": random.standard_normal((1024, 1024)).astype("f4") for n in range(6)}
    path, original = save(tmp_path, tensors, qcodec.Codebook(4))
    gather(path, original)  # what is imported on first use
    tracemalloc.start()
    try:
        gather(path, original)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * tensors["0.weight"].nbytes  # of both files, all are 12


def test_a_histogram_says_what_lies_beyond_its_edges():
    values = np.concatenate([np.linspace(-1, 1, 100_000), [50.0, -80.0, 60.0]])
    found = histogram(values)
    assert (found.below, found.above, found.is_sample) == (1, 2, False)
    assert -2 < found.low < -0.99 < 0.99 < found.high < 2
    assert sum(found.counts) == 100_000


def test_a_large_tensor_is_sampled_evenly_and_says_so():
    values = np.linspace(0, 1, 3 * SAMPLE, dtype=np.float32)
    found = histogram(values)
    assert (found.is_sample, found.elements) == (True, SAMPLE)
    shares = np.array(found.counts) / SAMPLE
    assert shares.max() < 2.2 * shares.mean()
    assert math.isclose(found.high, 1, abs_tol=1e-6)
