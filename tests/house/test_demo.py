"""The README's first command: its table adds up, and its claims are checked, not printed."""

import json

import numpy as np
import pytest

import qcodec.demo
from qcodec.demo.stages import STAGES


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return qcodec.demo.measure(folder), folder


def test_the_totals_are_the_lengths_of_the_files(measured):
    report, folder = measured
    for stage in STAGES:
        assert report["files"][stage.name] == stage.path(folder).stat().st_size
    assert report["files"]["float"] == qcodec.demo._NETWORK.stat().st_size


def test_the_rows_add_up_to_the_totals(measured):
    report, _ = measured
    for file, total in report["files"].items():
        parts = [row["bytes"][file] for row in report["tensors"]]
        assert sum(parts) + report["head_bytes"][file] == total
        assert min(parts) > 0


def test_the_rows_are_all_of_the_networks_tensors(measured):
    report, folder = measured
    names = sorted(row["tensor"] for row in report["tensors"])
    for stage in STAGES:
        with qcodec.safe_open(stage.path(folder)) as file:
            assert file.keys() == names


def test_each_stage_is_smaller_and_nothing_is_lost_that_counts(measured):
    report, _ = measured
    sizes = report["files"]
    assert sizes["float"] > 10 * sizes["pruned"]
    assert sizes["pruned"] > 2 * sizes["quantized"]
    assert sizes["float"] >= 80 * sizes["coded"]
    assert report["accuracy_before"] >= 97
    assert report["accuracy_after"] >= report["accuracy_before"] - 0.5
    assert report["bit_equal"] is True


def test_one_changed_weight_is_noticed(tmp_path):
    tensors = qcodec.load_file(qcodec.demo._NETWORK)
    stage = STAGES[0]
    stage.save(tensors, tmp_path)
    assert stage.is_bit_equal(tensors, tmp_path)
    first = np.flatnonzero(tensors["fc2.weight"])[0]
    tensors["fc2.weight"].reshape(-1)[first] *= 1.0000001
    assert not stage.is_bit_equal(tensors, tmp_path)


def test_the_test_images_were_not_trained_on():
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    test = qcodec.load_file(qcodec.demo._DATA / "digits_test.safetensors")
    assert len(np.unique(test["indices"])) == len(test["images"]) == 360
    np.testing.assert_array_equal(digits.images[test["indices"]], test["images"])
    np.testing.assert_array_equal(digits.target[test["indices"]], test["labels"])


def test_the_text_says_what_the_report_holds(capsys, tmp_path):
    assert qcodec.demo.main(keep=tmp_path / "kept") == 0
    text = capsys.readouterr().out
    smallest = (tmp_path / "kept" / "coded.qcodec").stat().st_size
    assert f"{smallest:,}" in text
    assert "bit-equal" in text
    assert str(tmp_path / "kept") in text


def test_json_is_the_report(capsys):
    assert qcodec.demo.main(as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["files"]["coded"] < report["files"]["quantized"]


def test_files_that_decode_to_something_else_fail_the_command(monkeypatch, capsys):
    monkeypatch.setattr(type(STAGES[0]), "is_bit_equal", lambda *_: False)
    assert qcodec.demo.main() == 1
    assert "NOT EQUAL" in capsys.readouterr().out
