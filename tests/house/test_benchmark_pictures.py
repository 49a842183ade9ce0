"""The pictures of the benchmarks: drawn from the document's tables, with labels that keep apart."""

import re

import pytest

from benchmarks import drawing, pictures
from benchmarks.suite import plot, report
from benchmarks.suite.result import Key, Results
from tests.house.test_benchmarks import result


def test_the_picture_has_codecs_by_size_and_speed():
    ours = Key("streams", "km16", "lanes_huffman", "decode", "AVX2")
    peers = [Key("streams", "km16", "huff0", "decode"), Key("codecs", "km16", "openzl", "decode")]
    results = Results({k: result(k, 1e-6, share=101.0) for k in (ours, *peers)})
    tables = [report.group_table(results, group) for group in ("streams", "codecs")]
    found = plot.points(*tables, 4.0)
    assert [(point.label, point.kind) for point in found] == [
        ("lanes huffman AVX2", "qcodec"),
        ("huff0", "peers in C"),
        ("openzl", "Python packages"),
    ]
    assert found[0].bits == pytest.approx(4.04)
    assert found[2].bits == pytest.approx(8.08)


def test_labels_of_the_picture_cover_neither_each_other_nor_a_point():
    """Those of the document, as they are drawn for the README."""
    pytest.importorskip("matplotlib")
    streams, codecs = (
        pictures.read_section(pictures.DOCUMENT, name) for name in ("streams", "codecs")
    )
    found = plot.points(streams, codecs, pictures.entropy(streams))
    assert len(found) > 15
    places = [(point.bits, point.rate) for point in found]
    with drawing.style():
        axes = drawing.new_figure(10, 6.4).add_subplot()
        axes.scatter(*zip(*places, strict=True))
        axes.set_yscale("log")
        boxes = drawing.label(axes, places, [point.label for point in found])
        dots = axes.transData.transform(places)
    for number, (left, low, right, high) in enumerate(boxes):
        assert not any(left < x < right and low < y < high for x, y in dots)
        for other in boxes[:number]:
            assert left >= other[2] or right <= other[0] or low >= other[3] or high <= other[1]


def test_labels_without_room_are_an_error():
    pytest.importorskip("matplotlib")
    with drawing.style():
        axes = drawing.new_figure(1, 1).add_subplot()
        with pytest.raises(ValueError, match="no room for a label"):
            drawing.label(axes, [(0.5, 0.5)] * 20, ["a long label"] * 20)


def test_pictures_are_drawn_from_the_tables_that_the_document_has(tmp_path):
    pytest.importorskip("matplotlib")
    tables = {name: pictures.read_section(pictures.DOCUMENT, name) for name in pictures.SECTIONS}
    drawn = pictures.draw(tables, tmp_path / "speed_size.svg")
    assert [path.name for path in drawn] == ["speed_size.svg", "peers.svg", "second_set.svg"]
    for path in drawn:
        kept = (pictures.DOCUMENT.parent / "pictures" / path.name).read_text("utf-8")
        words = re.findall(r"<!-- (.*?) -->", path.read_text("utf-8"))
        assert words == re.findall(r"<!-- (.*?) -->", kept), (
            f"python -m benchmarks.pictures: {path.name}"
        )
    assert pictures.draw({}, tmp_path / "none.svg") == []
