"""`qcodec inspect`: bars on terminals, plain tables for pipes, errors, pictures and pages."""

import json
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest

import qcodec
from qcodec.cli import main
from tests.report.nets import pruned, save, weights

ANSI = re.compile(r"\x1b\[\d*m")
TENSORS = {
    "encoder.layer.11.attention.output.dense.weight": weights(),
    "conv1.weight": pruned(),
    "fc.bias": weights()[0],
}
RECIPE = {
    "dense": qcodec.Codebook(4),
    "conv1": qcodec.DeepCompression(4, positions="gaps"),
    "bias": qcodec.Verbatim(),
}


@pytest.fixture
def paths(tmp_path):
    return save(tmp_path, TENSORS, RECIPE)


@pytest.fixture
def command(capsys):
    def run(*arguments):
        capsys.readouterr()
        code = main(["inspect", *map(os.fspath, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def on_a_terminal(*arguments, columns=100, **variables):
    """What the program writes on a terminal, line by line."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "PYTHONUTF8": "1"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-m", "qcodec", "inspect", *map(os.fspath, arguments), "--quiet"],
        stdout=theirs, env=environment | variables,
    ) as process:  # fmt: skip
        os.close(theirs)
        data = b""
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            data += some
    os.close(ours)
    assert process.returncode == 0
    return data.decode().replace("\r\n", "\n").splitlines()


def bars_of(lines):
    return {line.split()[0]: len(re.findall("█", line)) for line in lines}


def test_a_terminal_shows_bars_in_proportion(paths):
    lines = on_a_terminal(paths[0])
    assert any(ANSI.search(line) for line in lines)
    plain = [ANSI.sub("", line) for line in lines]
    assert max(map(len, plain)) <= 100
    bars = bars_of(plain)
    report = {line.split()[0]: line for line in plain}
    assert "sparse codebook, 4 bits" in report["conv1.weight"]
    found = {name: float(re.search(r"(\d+\.\d\d) +[█▏▎▍▌▋▊▉]", line)[1])
             for name, line in report.items() if re.search("[█▏▎▍▌▋▊▉]", line)}  # fmt: skip
    greatest = max(found.values())
    for name, bits in found.items():
        assert abs(bars[name] - 14 * bits / greatest) <= 1
    assert len(found) == 3


@pytest.mark.parametrize("columns", [20, 80, 100, 400])
def test_lines_fit_the_terminal(paths, columns):
    lines = on_a_terminal(paths[0], "--against", paths[1], columns=columns)
    longest = max(len(ANSI.sub("", line)) for line in lines)
    assert longest <= max(80, min(columns, 120))
    assert "SQNR dB" in lines[0]


@pytest.mark.parametrize(
    ("variables", "blocks"),
    [({"NO_COLOR": "1"}, True), ({"TERM": "dumb"}, False), ({"PYTHONIOENCODING": "ascii"}, False)],
)
def test_a_terminal_gets_what_it_can_show_and_what_is_wanted(paths, variables, blocks):
    text = "\n".join(on_a_terminal(paths[0], **variables))
    assert "\x1b" not in text
    assert ("█" in text) == blocks
    assert ("###" in text) != blocks


def test_pipes_get_a_plain_table_with_every_column(paths, command):
    code, out, err = command(paths[0], "--against", paths[1])
    assert (code, err) == (0, "")
    assert all(one.isprintable() or one == "\n" for one in out)
    assert "█" not in out
    head, *rows = out.splitlines()
    assert re.split(r"  +", head)[-5:] == ["kept %", "bytes", "bits/weight", "ratio", "SQNR in dB"]
    cells = {row.split()[0]: row.split() for row in rows}
    decoded = qcodec.load_file(paths[0])
    for name, array in TENSORS.items():
        ratio = "exact" if name == "fc.bias" else f"{qcodec.sqnr(array, decoded[name]):.1f}"
        assert cells[name][-1] == ratio
        share = 100 * np.count_nonzero(decoded[name]) / array.size
        assert cells[name][-5] == f"{share:.1f}"


def test_json_has_facts_if_tensors_are_decoded(paths, command):
    heads = json.loads(command(paths[0], "--json")[1])
    assert "facts" not in heads
    assert {tensor["codec"] for tensor in heads["tensors"]} == {
        "verbatim", "codebook, 4 bits", "sparse codebook, 4 bits",
    }  # fmt: skip
    for more in (["--details"], ["--against", paths[1]]):
        facts = json.loads(command(paths[0], "--json", *more)[1])["facts"]
        assert facts["bytes"] == paths[0].stat().st_size
        assert all(tensor["stages"] for tensor in facts["tensors"])
    assert facts["original"] == "original.safetensors"


def test_plain_files_have_bars_and_facts_too(paths, command):
    lines = [ANSI.sub("", line) for line in on_a_terminal(paths[1])]
    assert "not encoded" in lines[1]
    assert "█" * 14 in lines[1]
    facts = json.loads(command(paths[1], "--json", "--details")[1])["facts"]
    assert facts["stages"]["float"] == facts["stages"]["coded"]


def test_page_and_picture_are_written_and_said(paths, command, tmp_path):
    pytest.importorskip("matplotlib")
    html, picture = tmp_path / "report.html", tmp_path / "report.svg"
    code, out, err = command(paths[0], "--html", html, "--plot", picture)
    assert (code, err) == (0, "")
    assert f"{html}: {html.stat().st_size:,} bytes" in out
    assert f"{picture}: {picture.stat().st_size:,} bytes" in out
    report = json.loads(command(paths[0], "--html", html, "--json")[1])
    assert report["written"] == {str(html): html.stat().st_size}


@pytest.mark.parametrize(
    ("option", "name"), [("--html", "net.qcodec"), ("--plot", "net.jpg"), ("--plot", "picture")]
)
def test_another_ending_is_refused_before_work(paths, command, tmp_path, option, name):
    before = paths[0].read_bytes()
    code, out, err = command(paths[0], option, tmp_path / name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "allowed endings are" in err
    assert paths[0].read_bytes() == before
    assert not (tmp_path / "picture").exists()


def test_without_matplotlib_one_line_says_what_to_install(paths, command, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, out, err = command(paths[0], "--plot", tmp_path / "a.png")
    assert (code, out) == (2, "")
    assert err == "qcodec: --plot needs matplotlib: pip install 'qcodec[plot]'\n"


@pytest.mark.parametrize("option", ["--against", "--html", "--base"])
def test_errors_name_the_file_concerned(paths, command, tmp_path, option):
    path = tmp_path / "nowhere" / "a.html"
    code, _, err = command(paths[0], option, path)
    assert (code, err) == (1, f"qcodec: {path}: No such file or directory\n")
