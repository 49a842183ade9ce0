"""The page as a file: what is in it, how long it is, and that names cannot break out of it."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest

import qcodec
from qcodec._base.messages import one_line
from qcodec.report import Curve, gather, write_html
from qcodec.report.html import MAX_BYTES, page
from tests.report.nets import KINDS, save, weights

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]>&lt;&amp;\u2028\u2029\u202e\x00\x1b[2J",
    "{{data}}{{script}}",
    "a" * 5000,
    "\ud800",
)


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture
def facts(tmp_path):
    path, original = save(tmp_path, {"fc.weight": weights()}, {"weight$": qcodec.Codebook(4)})
    return gather(path, original)


def test_the_page_holds_the_facts(facts, tmp_path):
    size = write_html(tmp_path / "report.html", facts)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert size == (tmp_path / "report.html").stat().st_size == len(text.encode())
    data, (tensor,) = data_of(text), facts.tensors
    assert data["stages"] == facts.stages
    assert sum(data["parts"].values()) == facts.bytes
    assert data["tensors"][0][:2] == ["fc.weight", "48x64"]
    codes = data["details"]["0"]["codes"]
    assert codes["counts"] == list(tensor.codes.counts)
    assert codes["values"] == pytest.approx(list(tensor.codes.values), rel=1e-5)
    assert data["curve"] is None


def test_nothing_is_loaded_and_the_policy_allows_what_is_in_the_page_only(facts):
    text = page(facts)
    assert re.findall(r'(?:src|href)="([^"#]*)"', text) == ["data:,"]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; ")
    for tag, part in (("script>", "script-src"), ("style>", "style-src")):
        (inside,) = re.findall(rf"<{tag}(.*?)</{tag}", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{part} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(facts, name):
    (tensor,) = facts.tensors
    named = replace(facts, name=name, tensors=(replace(tensor, name=name, dtype=name, note=name),))
    text, plain = page(named), page(facts)
    for mark in ("<script", "</script", "<!--", "<img", "</title"):
        assert text.count(mark) == plain.count(mark)
    assert f'<h1 id="title">{html.escape(one_line(name, 160))}</h1>' in text
    row = data_of(text)["tensors"][0]
    assert all(one.isprintable() for one in row if isinstance(one, str))
    assert len(row[0]) <= 160
    text.encode()


def many(facts, count, length):
    (tensor,) = facts.tensors
    codes = replace(
        tensor.codes, counts=(123,) * 256, values=(0.123456,) * 256, lengths=(7.12345,) * 256
    )
    names = (f"layer.{index}.{'x' * length}" for index in range(count))
    tensors = [
        replace(tensor, name=name, codes=codes, bytes=index) for index, name in enumerate(names)
    ]
    return replace(facts, tensors=tuple(tensors))


@pytest.mark.parametrize(("count", "length"), [(300, 10), (3000, 30), (30_000, 150)])
def test_any_number_of_tensors_stays_under_a_megabyte(facts, count, length):
    every = many(facts, count, length)
    text = page(every)
    assert len(text.encode()) <= MAX_BYTES
    data = data_of(text)
    left, left_bytes = data["rest"]
    assert len(data["tensors"]) + left == count
    assert sum(row[5] for row in data["tensors"]) + left_bytes == sum(range(count))
    largest = max(range(len(data["tensors"])), key=lambda place: data["tensors"][place][5])
    if count == 3000:
        assert left == 0
        assert len(data["details"]) >= 20
        assert str(largest) in data["details"]


def test_the_curve_has_its_chosen_point(facts):
    curve = Curve([(1000, 12.5), (2000, 18.25), (4000, float("inf"))], 1)
    assert data_of(page(facts, curve))["curve"] == {
        "points": [[1000, 12.5], [2000, 18.25], [4000, None]], "chosen": 1,
    }  # fmt: skip
    assert data_of(page(facts, ([(1000, 12.5)], 0)))["curve"]["points"] == [[1000, 12.5]]
    with pytest.raises(ValueError, match="chosen point 3 of the curve, allowed are 0 to 2"):
        page(facts, curve._replace(chosen=3))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page(tmp_path, kind):
    codec, make, text = KINDS[kind]
    path, _ = save(tmp_path, {"fc.weight": make()}, {"weight$": codec})
    data = data_of(page(gather(path)))
    assert data["tensors"][0][3] == text
    assert len(data["details"]) == 1


def test_a_file_without_tensors_has_a_page(tmp_path):
    qcodec.save_file({}, tmp_path / "net.qcodec")
    assert data_of(page(gather(tmp_path / "net.qcodec")))["tensors"] == []


def test_an_existing_page_is_replaced_whole_or_not_at_all(facts, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("before")
    with pytest.raises(ValueError, match="chosen"):
        write_html(path, facts, Curve([], 0))
    assert path.read_text() == "before"
    write_html(path, facts)
    assert np.char.startswith(path.read_text(), "<!doctype html>")
