"""Tables of files in the paper's form: each byte counted once, and correct bits."""

import json

import numpy as np
import pytest

import qcodec
from qcodec import Codebook, DeepCompression, Density, Lossless, Sparse
from recipes import document
from recipes.deep_compression_tables import LENET_5, LENET_300_100, TOTAL
from recipes.paper_coding import paper_coding
from recipes.published_shapes import NETS
from recipes.report import report

CODECS = {
    "mask": DeepCompression(4, prune=Density(0.3), positions="mask"),
    "bit_mask": DeepCompression(4, prune=Density(0.3), positions="bit_mask"),
    "gaps": DeepCompression(4, prune=Density(0.02), positions="gaps", gap_bits=3),
    "csr": DeepCompression(4, prune=Density(0.3), positions="csr"),
    "dense": DeepCompression(4, prune=Density(0.7), positions="dense"),
    "lossless": Lossless(),
    "kept floats": Sparse(Lossless(), prune=Density(0.1)),
    "no zeros": Codebook(3),
}


@pytest.fixture
def tensors():
    random = np.random.default_rng(1)
    return {
        "a.weight": random.standard_normal((60, 50)).astype(np.float32),
        "a.bias": random.standard_normal(60).astype(np.float32),
        "steps": np.arange(12, dtype=np.int64).reshape(3, 4),
    }


def reported(tensors, path, codec, profile="balanced"):
    qcodec.save_file(tensors, path, recipe={r"weight$": codec}, profile=profile)
    return report(path)


@pytest.mark.parametrize("profile", ["fixed", "balanced", "small"])
@pytest.mark.parametrize("name", ["net.qcodec", "net.qc.safetensors"])
@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_byte_of_a_file_is_in_one_row(tensors, tmp_path, codec, name, profile):
    found = reported(tensors, tmp_path / name, codec, profile)
    (layer,) = found.layers
    rows = [layer.bytes, found.other_bytes, found.head_bytes, found.name_bytes]
    assert sum(rows) == found.bytes == (tmp_path / name).stat().st_size
    assert min(rows) > 0
    assert found.elements == 60 * 50 + 60 + 12
    assert layer.kept == np.count_nonzero(qcodec.load_file(tmp_path / name)["a.weight"])


def test_an_ordinary_tensor_and_another_name_of_one_are_counted_once(tensors, tmp_path):
    tensors["same.weight"] = tensors["a.weight"]
    path = tmp_path / "net.qc.safetensors"
    qcodec.save_file(tensors, path, recipe=qcodec.Recipe(weights=Codebook(4), others=None))
    found = report(path)
    assert [layer.name for layer in found.layers] == ["a.weight"]
    rows = [*(layer.bytes for layer in found.layers), found.other_bytes, found.head_bytes]
    assert sum(rows) + found.name_bytes == found.bytes
    assert found.other_bytes == 60 * 4 + 12 * 8
    assert found.elements == 60 * 50 + 60 + 12


def test_copies_and_layers_that_share_a_frame_are_counted_once(tensors, tmp_path):
    random = np.random.default_rng(4)
    tensors["b.weight"] = np.where(random.random((30, 50)) < 0.2, tensors["a.weight"][:30], 0)
    tensors["c.weight"] = np.where(random.random((20, 50)) < 0.2, tensors["a.weight"][:20], 0)
    tensors["copy.weight"] = tensors["b.weight"].copy()
    path = tmp_path / "net.qcodec"
    qcodec.save_file(tensors, path)
    with qcodec.safe_open(path) as file:
        assert all(file.directory.tensors[f"{name}.weight"].part for name in "bc")
    found = report(path)
    assert [layer.name for layer in found.layers] == ["a.weight", "b.weight", "c.weight"]
    rows = [*(layer.bytes for layer in found.layers), found.other_bytes, found.head_bytes]
    assert sum(rows) + found.name_bytes == found.bytes == path.stat().st_size
    assert found.elements == 60 * 50 + 60 + 12 + 30 * 50 + 20 * 50 + 30 * 50
    assert all(layer.index_bytes for layer in found.layers[1:])


def test_the_shares_of_a_frame_add_up_section_by_section(tmp_path):
    random, path = np.random.default_rng(5), tmp_path / "net.qcodec"
    sizes = random.integers(1, 40, 50)
    tensors = {f"{i}.bias": random.standard_normal(n).astype("f4") for i, n in enumerate(sizes)}
    qcodec.save_file(tensors, path)
    with qcodec.safe_open(path) as file:
        (place,) = {(stored.offset, stored.size) for stored in file.directory.tensors.values()}
        whole = qcodec.info(path.read_bytes()[place[0] : sum(place)])
        parts = [file.info(name) for name in tensors]
    assert sum(part.bytes for part in parts) == whole.bytes
    found = [section for part in parts for section in part.sections]
    assert min(section.bytes for section in found) > 0
    for section in whole.sections:
        shares = [share.bytes for share in found if share.name == section.name]
        assert sum(shares) == section.bytes


@pytest.mark.parametrize("form", ["mask", "gaps", "csr", "dense"])
def test_bits_before_coding_are_those_of_a_file_at_fixed_width(tensors, tmp_path, form):
    """In profile fixed nothing is coded, so before and after are the same, up to whole bytes."""
    (layer,) = reported(tensors, tmp_path / "net.qcodec", CODECS[form], "fixed").layers
    assert layer.positions.split()[0] == form
    before = layer.fixed_weight_bits + layer.fixed_index_bits
    after = 8 * (layer.weight_bytes + layer.index_bytes)
    assert layer.fixed_weight_bits == layer.kept * 4
    assert before <= after < before + 8 * 12  # heads of streams


def test_index_bits_of_a_mask_are_shared_among_the_kept_weights(tensors, tmp_path):
    row = reported(tensors, tmp_path / "net.qcodec", CODECS["mask"]).as_dict()["layers"][0]
    assert (row["kept"], row["index_bits"], row["weight_bits"]) == (900, 3000 / 900, 4)
    coded = 8 * (row["weight_bytes"] + row["index_bytes"]) / row["kept"]
    assert row["weight_bits_coded"] + row["index_bits_coded"] == pytest.approx(coded)


def test_fillers_are_index_bits(tensors, tmp_path):
    path = tmp_path / "net.qcodec"
    row = reported(tensors, path, CODECS["gaps"], "fixed").as_dict()["layers"][0]
    with qcodec.safe_open(path) as file:
        entries = file.info("a.weight").stored
    assert entries > row["kept"] == 60  # gaps of 3 bits, 49 absent weights between two on average
    assert row["index_bits"] == pytest.approx((entries * (3 + 4) - 60 * 4) / 60)


def test_the_table_has_the_papers_figures_in_brackets(tensors, tmp_path):
    found = reported(tensors, tmp_path / "net.qcodec", CODECS["mask"])
    lines = found.markdown({"a": LENET_5["ip1"], TOTAL: LENET_5[TOTAL]}).splitlines()
    assert {line.count("|") for line in lines} == {11}
    cells = [cell.strip() for cell in lines[2].split("|")][1:-1]
    assert cells[:4] == ["a", "3,000", "30.0 (8)", "4 (5)"]
    assert cells[5] == "3.33 (5)"
    assert cells[9].endswith("(2.45)")
    assert "(2.55)" in lines[3]
    assert f"{found.bytes:,}" in lines[-1]


def test_a_file_without_layers_has_a_table_too(tmp_path):
    qcodec.save_file({"bias": np.ones(3, np.float32)}, tmp_path / "net.qcodec")
    found = report(tmp_path / "net.qcodec")
    assert found.layers == ()
    assert found.other_bytes + found.name_bytes == found.bytes
    assert "| total | 0 |" in found.markdown()


LENETS = {
    "LeNet-300-100": (LENET_300_100, {"ip1": 235_200, "ip2": 30_000, "ip3": 1_000}),
    "LeNet-5": (LENET_5, {"conv1": 500, "conv2": 25_000, "ip1": 400_000, "ip2": 5_000}),
}
PAPERS = LENETS | {
    net.name: (net.table, {one.name: one.size for one in net.layers}) for net in NETS
}


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_rates_follow_from_its_bits(name):
    """Codes, gaps and a codebook, and up to 30 % of fillers: a digit copied wrongly would show."""
    printed, sizes = PAPERS[name]
    assert [*sizes, TOTAL] == [*printed]
    for layer, size in sizes.items():
        row = printed[layer]
        codebook = 100 * 2**row.weight_bits / size
        before = row.kept * (row.weight_bits + row.index_bits) / 32 + codebook
        after = row.kept * (row.weight_bits_coded + row.index_bits_coded) / 32 + codebook
        assert 0.97 < row.share / before < 1.3, layer
        assert 0.97 < row.share_coded / after < 1.3, layer


def test_the_published_shapes_are_those_of_the_nets():
    alexnet, vgg = NETS
    assert alexnet.elements == 60_965_224
    assert vgg.elements == 138_357_544
    for net in NETS:
        assert [layer.name for layer in net.layers] == list(net.table)[:-1]
        assert 4 * net.elements / 1e6 == pytest.approx(net.megabytes, rel=0.02)


def test_the_papers_coding_counts_fillers_codes_and_gaps():
    weights = np.zeros((1, 100), np.float32)
    weights[0, [0, 40, 41, 99]] = [1, 2, 1, 2]
    quantized = DeepCompression(2).quantize(weights)
    coding = paper_coding(quantized, gap_bits=4)
    # 39 absent: two fillers of 16; 57 absent: three.
    assert coding.stored == 4 + 2 + 3
    book = quantized.codebook.values.nbytes
    assert coding.bitpacked_bytes == 5 + 3 + book  # 9 gaps of 4 bits, 9 codes of 2
    assert coding.huffman_bytes <= coding.bitpacked_bytes


def test_the_papers_coding_of_skewed_codes_is_smaller_by_huffman():
    weights = np.random.default_rng(2).standard_normal((64, 256)).astype(np.float32)
    quantized = DeepCompression(5, prune=Density(0.3)).quantize(weights**3)
    coding = paper_coding(quantized, gap_bits=4)
    assert coding.huffman_bytes < 0.75 * coding.bitpacked_bytes


def test_the_papers_coding_needs_positions():
    with pytest.raises(ValueError, match="positions"):
        paper_coding(Codebook(2).quantize(np.ones((2, 2), np.float32)), 4)


RESULT = {
    "recipe": "tiny",
    "paper": {"KB": 27, "error, %": 1.58},
    "ours": {"KB": 13.25, "byte for byte": True, "files": {"a": 1}},
    "command": "python -m recipes tiny --data /home/someone/data --out /tmp/out --seed 3",
    "seed": 3,
    "minutes": 0.4,
    "commit": "1a2b3c4",
    "tables": ["| a |\n|---|\n| 1 |"],
    "notes": ["Nothing was tried."],
}


def a_run(folder, **changes):
    folder.mkdir()
    (folder / "result.json").write_text(json.dumps({**RESULT, **changes}))
    return folder


def test_a_result_goes_between_its_markers_and_nothing_else_changes(tmp_path):
    text = "before\n<!-- recipe tiny -->\nold\n<!-- /recipe tiny -->\nafter\n"
    page = tmp_path / "papers.md"
    page.write_text(text)
    folder = a_run(tmp_path / "run")
    assert document.main([str(folder), "--update", str(page)]) == 0
    found = page.read_text()
    assert found.startswith("before\n<!-- recipe tiny -->\n| | paper | ours |")
    assert found.endswith("- Nothing was tried.\n<!-- /recipe tiny -->\nafter\n")
    assert "| KB | 27 | 13.25 |" in found
    assert "| error, % | 1.58 | - |" in found
    assert "| byte for byte | - | yes |" in found
    assert "seed 3, 0.4 minutes, commit 1a2b3c4" in found
    assert "old" not in found
    assert document.main([str(folder), "--update", str(page)]) == 0
    assert page.read_text() == found


def test_a_result_does_not_tell_where_its_folders_were(tmp_path):
    (section,) = document.sections([a_run(tmp_path / "run")]).values()
    assert "someone" not in section
    assert "/tmp" not in section
    assert "`python -m recipes tiny --data FOLDER --out FOLDER --seed 3`" in section


def test_a_document_without_the_markers_stays_as_it_is(tmp_path):
    page = tmp_path / "papers.md"
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="recipe tiny"):
        document.main([str(a_run(tmp_path / "run")), "--update", str(page)])
    assert page.read_text() == "nothing\n"


def test_what_is_no_result_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no result\.json"):
        document.sections([tmp_path])
    with pytest.raises(ValueError, match="a second result of tiny"):
        document.sections([a_run(tmp_path / "a"), a_run(tmp_path / "b")])
    with pytest.raises(ValueError, match="lacks paper, seed"):
        document.section({name: RESULT[name] for name in RESULT if name not in ("paper", "seed")})
