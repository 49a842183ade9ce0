"""The comparison with other compressors: all store the same tensors; missing ones are named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchmarks.peers.compare as compare_module
from benchmarks.peers import cases, forms, general, packing, positions, table
from benchmarks.peers import plot as peers_plot
from benchmarks.peers.case import Case, no_goals, same
from benchmarks.peers.compare import Comparison, Entry, compare
from benchmarks.peers.stored import Stored
from benchmarks.suite import data
from benchmarks.suite.measure import Effort, Spread
from qcodec import Affine, Codebook, DeepCompression, Ternary

TINY = Effort(rounds=2, seconds=1e-5)
# Of packages that are only compared with.
others_may_warn = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def mixed_tensors():
    """Dense, sparse with long gaps, of equal steps, and whole floats."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(60, 70)).astype(np.float32)
    few = np.where(random.random((90, 80)) < 0.003, random.normal(size=(90, 80)), 0)
    return {
        "dense": Codebook(4).quantize(weights),
        "ternary": Ternary("twn", scales=1).quantize(weights),
        "sparse": DeepCompression(4, positions="gaps").quantize(few.astype(np.float32)),
        "kernels": Codebook(3).quantize(weights.reshape(20, 7, 6, 5)),
        "bias": Affine(4).quantize(weights[0]),
        "norm": weights[1],
    }


def test_every_input_form_of_peers_holds_all_tensors():
    case = Case("mixed", mixed_tensors())
    found = forms.forms(case.tensors)
    assert [form.name for form in found] == [
        "gaps, codes one a byte",
        "gaps, codes packed",
        "masks, codes one a byte",
        "masks, codes packed",
    ]
    for form in found:
        assert same(form.rebuild_data(form.data), case.decoded())
    assert len(found[1].data) < len(found[0].data)


def test_floats_are_given_whole_and_as_planes():
    floats = {"a": data.gaussian(300).reshape(3, 100), "b": data.gaussian(7)}
    whole, planes = forms.forms(floats)
    assert whole.data == floats["a"].tobytes() + floats["b"].tobytes()
    assert planes.data[:307] == whole.data[::4]
    assert all(same(form.rebuild_data(form.data), floats) for form in (whole, planes))


@given(st.lists(st.integers(0, 5000), min_size=1, unique=True), st.sampled_from([15, 255]))
def test_gaps_and_masks_give_positions_back(found, largest):
    where = np.array(sorted(found))
    assert np.array_equal(positions.from_gaps(positions.to_gaps(where, largest), largest), where)
    assert np.array_equal(positions.from_mask(positions.to_mask(where, 5001), 5001), where)


@given(st.lists(st.integers(0, 255)), st.sampled_from([1, 2, 4, 8]))
def test_packed_integers_come_back(values, bits):
    array = np.array(values, np.uint8) & ((1 << bits) - 1)
    packed = packing.pack(array, bits)
    assert len(packed) == -(-len(values) * bits // 8)
    assert np.array_equal(packing.unpack(packed, bits, len(values)), array)


@others_may_warn
def test_all_peers_store_the_same_tensors(tmp_path):
    compared = compare(Case("mixed", mixed_tensors()), tmp_path, effort=TINY)
    methods = {entry.stored.method for entry in compared.entries}
    assert {"zlib -9", "bzip2 -9", "xz -9e", "qcodec balanced", "qcodec small"} <= methods
    sizes = [entry.stored.bytes for entry in compared.entries]
    assert sizes == sorted(sizes, reverse=True)
    assert compared.of("qcodec small").stored.bytes == (tmp_path / "small.qcodec").stat().st_size
    assert len(compared.entries) == len(methods)  # of each its smallest form alone
    *_, last = table.section(compared).splitlines()
    assert last.startswith(("| entropy of order 0 |", "| nncodec: not installed"))


@others_may_warn
def test_a_peer_that_gives_other_tensors_back_is_refused(tmp_path, monkeypatch):
    wrong = general.Method("forgetful", lambda b: b, lambda b: b[:-4] + b"1234")
    monkeypatch.setattr(general, "methods", lambda: ([wrong], []))
    with pytest.raises(AssertionError, match="forgetful gives other tensors back"):
        compare(Case("mixed", mixed_tensors()), tmp_path, effort=TINY)


@others_may_warn
def test_missing_and_slow_peers_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(general, "find_spec", lambda name: None)
    monkeypatch.setattr(compare_module, "SLOW_BYTES", 1000)
    case = Case("floats", {"a": data.gaussian(1000)})
    hasty, patient = (compare(case, tmp_path, some, TINY) for some in (False, True))
    assert "xz -9e: left out, takes minutes for 0 MiB" in hasty.remarks
    assert {"zstandard: not installed", "brotli: not installed"} <= set(hasty.remarks)
    assert hasty.of("xz -9e") is None
    assert patient.of("xz -9e") is not None
    assert "| brotli: not installed | | | | | |" in table.section(hasty)


def comparison(title, sizes, goals=no_goals):
    """1,000,000 decoded bytes, a microsecond for each stored one."""
    entries = []
    for method, size in sizes.items():
        seconds = size / 1e6
        spread = Spread(seconds, seconds, seconds, seconds, 5, 0)
        stored = Stored(method, "bytes", size, None, dict, method.startswith("qcodec"))
        entries.append(Entry(stored, spread, None))
    return Comparison(Case(title, {}, goals=goals, note="all"), 1_000_000, entries, 0, [])


def test_comparisons_as_tables():
    some = comparison("net", {"zipnn": 1000, "qcodec balanced": 500})
    assert table.section(some).splitlines()[-2:] == [
        "| zipnn | bytes | 1,000 | 0.10 % | 1,000 |  |",
        "| **qcodec balanced** | bytes | 500 | 0.05 % | 2,000 |  |",
    ]
    other = comparison("other", {"qcodec balanced": 100})
    assert table.side_by_side("Nets", [some, other]).splitlines()[4:6] == [
        "| zipnn | 1,000, 1,000 |  |",
        "| **qcodec balanced** | 500, 2,000 | 100, 10,000 |",
    ]


def test_decoding_is_judged_against_zipnn_in_the_same_run():
    sizes = {"zipnn": 4000, "qcodec balanced": 1000, "qcodec small": 2000}
    rows = comparison("MiniLM", sizes, cases.against_zipnn).goals()
    assert [(row.found, row.word) for row in rows] == [(4.0, "reached"), (2.0, "**missed**")]


def test_a_net_in_one_array_has_the_same_weights():
    floats = {"a": data.gaussian(300).reshape(3, 100), "b": data.gaussian(7)}
    one = cases.in_one_array(lambda: Case("net", floats))
    assert one.title == "net, in one array"
    assert one.decoded()["weights"].tobytes() == floats["a"].tobytes() + floats["b"].tobytes()


def test_the_pictures_of_size_and_speed_are_the_same_bytes_for_the_same_figures(tmp_path):
    pytest.importorskip("matplotlib")
    some = [comparison(f"net {n}", {"zlib -9": 900, "qcodec small": 500}) for n in range(4)]
    panels = peers_plot.panels_of_sizes("\n\n".join(map(table.section, some)))
    for name in ("a.svg", "b.svg"):
        peers_plot.draw(panels, tmp_path / name)
    picture = (tmp_path / "a.svg").read_bytes()
    assert picture == (tmp_path / "b.svg").read_bytes()
    assert picture.count(b"<!-- net ") == 4
    assert panels[0].points == {
        "zlib -9": (pytest.approx(0.09), pytest.approx(1e6 / 900, rel=0.001)),
        "qcodec small": (pytest.approx(0.05), pytest.approx(2000)),
    }


def test_nets_that_are_stored_in_several_ways_have_a_panel_each():
    some = [comparison(way, {"zlib -9": 900, "qcodec small": 500}) for way in ("4 bits", "float32")]
    panels = peers_plot.panels_of_nets(table.side_by_side("Network for digits, 12 weights", some))
    assert [panel.title for panel in panels] == ["Network, 4 bits", "Network, float32"]
    assert panels[1].points["zlib -9"][0] == pytest.approx(0.09)
