"""Pictures of a file, for papers."""

from dataclasses import replace

import pytest

import qcodec
from qcodec.report import gather, write_plot
from tests.report.nets import save, weights
from tests.report.test_page import HOSTILE

pytest.importorskip("matplotlib")

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture
def facts(tmp_path):
    tensors = {"fc.weight": weights(), "fc.bias": weights()[0]}
    return gather(*save(tmp_path, tensors, {"weight$": qcodec.Codebook(4)}))


@pytest.mark.parametrize("ending", MAGIC)
def test_each_ending_is_its_format_and_the_same_facts_are_the_same_bytes(facts, tmp_path, ending):
    found = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}{ending}"
        assert write_plot(path, facts) == path.stat().st_size
        found.append(path.read_bytes())
    assert found[0].startswith(MAGIC[ending])
    assert found[0] == found[1]


def test_another_ending_is_an_error_and_writes_nothing(facts, tmp_path):
    with pytest.raises(ValueError, match=r"found \.gif, allowed are \.png, \.svg, \.pdf"):
        write_plot(tmp_path / "a.gif", facts)
    assert not (tmp_path / "a.gif").exists()


@pytest.mark.parametrize("name", [*HOSTILE, "$\\frac{$", "名前", ""])
def test_names_are_text_and_no_formulas(facts, tmp_path, name):
    tensors = tuple(replace(tensor, name=name) for tensor in facts.tensors)
    write_plot(tmp_path / "a.svg", replace(facts, name=name, tensors=tensors))


@pytest.mark.parametrize("count", [0, 1, 40, 3000])
def test_a_picture_of_any_number_of_tensors_has_a_page(facts, tmp_path, count):
    tensors = tuple(replace(facts.tensors[0], name=f"layer.{n}", bytes=n + 1) for n in range(count))
    write_plot(tmp_path / "a.png", replace(facts, tensors=tensors))
    data = (tmp_path / "a.png").read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert 1000 < width < 2000
    assert 200 < height < 3000
