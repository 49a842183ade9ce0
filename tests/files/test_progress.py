"""The progress of commands, on real (pseudo-)terminals: bytes, rate, time left, and no trace."""

import os
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import qcodec

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are those of POSIX", allow_module_level=True)

import fcntl
import struct
import termios

#: Runs a command whose progress is shown at once: the machine may need less than two seconds.
AT_ONCE = (
    "import sys\n"
    "from qcodec.cli import main, progress\n"
    "progress._QUIET_SECONDS, progress._STEP_SECONDS = 0.0, 0.01\n"
    "if {plain}:\n"
    "    sys.modules['rich'] = None\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
#: Shows what a real command shows, at the real times.
TIMED = (
    "import sys, time\n"
    "from qcodec.cli.progress import Progress\n"
    "if {plain}:\n"
    "    sys.modules['rich'] = None\n"
    "print('begun', file=sys.stderr, flush=True)\n"
    "with Progress('encoding', 8_000_000) as shown:\n"
    "    for number in range({steps}):\n"
    "        time.sleep(0.7)\n"
    "        shown.advance(1_000_000, f'layers.{{number}}')\n"
    "print('ended', file=sys.stderr)\n"
)
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
COLOURS = re.compile(r"\x1b\[[0-9;]*[34][0-9]")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: Bytes, rate, time left and a tensor; the bar is a line of its own character.
NUMBERS = re.compile(
    r"encoding (\d+ %,|\S+) \d+\.\d MB of \d+\.\d MB,? \d+\.\d [kMG]B/s,? \d+ s left:? layers\.\d"
)
pytestmark = pytest.mark.parametrize("kind", ["rich", "plain"])


@pytest.fixture(autouse=True)
def _with_rich(kind):
    if kind == "rich":
        pytest.importorskip("rich")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    path = tmp_path_factory.mktemp("progress") / "net.safetensors"
    random = np.random.default_rng(0)
    weights = {f"layers.{n}": random.normal(size=(512, 1024)).astype(np.float32) for n in range(6)}
    qcodec.save_file(weights, path, recipe={".": None})
    return path


class Terminal:
    """A pseudo-terminal in which a program runs."""

    def __init__(self, code, *arguments, columns=120, **environment):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 30, columns, 0, 0))
        names = {"NO_COLOR", "TERM", "COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"}
        kept = {name: value for name, value in os.environ.items() if name not in names}
        self.run = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=slave, stderr=slave, stdout=subprocess.PIPE, text=True,
            env={**kept, "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        os.close(slave)
        self.text = ""

    def read(self, until=None):
        """Read up to a text, or to the end; return all that was shown."""
        while until is None or until not in self.text:
            if not select.select([self.master], [], [], 60)[0]:
                raise TimeoutError(self.text)
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:  # Linux: the other end is closed
                data = b""
            if not data:
                break
            self.text += data.decode()
        return self.text

    def end(self):
        """Wait for the program; return its exit code, its output, and what was shown."""
        shown = self.read()
        out = self.run.stdout.read()
        self.run.stdout.close()
        os.close(self.master)
        return self.run.wait(), out, shown


def encoding(kind, net, *options, **how):
    out = net.parent / "net.qcodec"
    code = AT_ONCE.format(plain=kind == "plain")
    return Terminal(code, "encode", net, out, "--recipe", "deep-compression", *options, **how)


def assert_nothing_is_left(kind, shown):
    """The cursor is visible, and the line of progress is empty."""
    assert shown.count(HIDE_CURSOR) == shown.count(SHOW_CURSOR) == (kind == "rich")
    if kind == "plain":
        assert "\x1b" not in shown
        assert "\n" not in shown
        assert shown.endswith("\r")
        last = shown.rstrip("\r").rpartition("\r")[2]
        assert not last.strip()


def test_bytes_rate_and_time_left_are_shown_and_removed(kind, net):
    code, out, shown = encoding(kind, net).end()
    assert code == 0
    assert "6 tensors" in out
    assert "\x1b" not in out
    assert NUMBERS.search(CONTROL.sub("", shown)), shown
    assert_nothing_is_left(kind, shown)


@pytest.mark.parametrize("steps", [1, 5])
def test_only_what_takes_two_seconds_is_shown(kind, steps):
    terminal = Terminal(TIMED.format(plain=kind == "plain", steps=steps))
    terminal.read("begun\r\n")
    begun = time.monotonic()
    if steps == 1:
        assert terminal.end()[2] == "begun\r\nended\r\n"
        return
    terminal.read("encoding")
    assert time.monotonic() - begun > 1.5
    _, _, shown = terminal.end()
    found = re.findall(
        r"(\d)\.0 MB of 8\.0 MB,? (\S+) (.)B/s,? (\d+) s left", CONTROL.sub("", shown)
    )
    assert {done for done, *_ in found} >= {"3", "4"}
    for done, rate, unit, left in found:
        rate = float(rate) / {"M": 1, "k": 1000}[unit]
        assert rate < 1.5  # 1 MB in 0.7 s, from the beginning
        assert (8 - int(done)) / rate == pytest.approx(int(left), abs=0.6 + 1.5 * int(left) / 10)


@pytest.mark.parametrize("command", ["encode", "decode", "transcode", "verify", "diff"])
def test_every_command_that_may_take_long_shows_it(kind, net, tmp_path, command):
    encoded = tmp_path / "net.qc.safetensors"
    qcodec.save_file(qcodec.load_file(net), encoded)
    others = {
        "encode": [net, tmp_path / "out.qcodec"],
        "decode": [encoded, tmp_path / "out.safetensors"],
        "transcode": [encoded, tmp_path / "out.qcodec"],
        "verify": [encoded],
        "diff": [net, encoded],
    }
    terminal = Terminal(AT_ONCE.format(plain=kind == "plain"), command, *others[command])
    code, _, shown = terminal.end()
    word = {"verify": "verifying", "diff": "comparing"}.get(command, f"{command[:-1]}ing")
    assert code == 0
    assert word in shown
    assert " MB" in shown  # all may be done before a tensor is named
    assert_nothing_is_left(kind, shown)


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_folders_show_it(kind, net, tmp_path, command):
    folder, small = tmp_path / "net", tmp_path / "small"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(net.read_bytes())
    qcodec.checkpoints.encode_checkpoint(folder, small)
    source = folder if command == "encode" else small
    arguments = [command, source, tmp_path / "out"]
    code, _, shown = Terminal(AT_ONCE.format(plain=kind == "plain"), *arguments).end()
    assert code == 0
    assert " MB" in shown
    assert_nothing_is_left(kind, shown)


def test_quiet_shows_nothing(kind, net):
    code, out, shown = encoding(kind, net, "--quiet").end()
    assert (code, shown) == (0, "")
    assert "6 tensors" in out


def test_a_pipe_gets_nothing(kind, net):
    code = AT_ONCE.format(plain=kind == "plain")
    arguments = ["encode", net, net.parent / "net.qcodec", "--recipe", "deep-compression"]
    for environment in ({}, {"FORCE_COLOR": "1"}):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, check=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        assert done.stderr == b""
        assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("no_colour", [False, True])
def test_no_colour_if_the_environment_says_so(kind, net, no_colour):
    _, _, shown = encoding(kind, net, **({"NO_COLOR": "1"} if no_colour else {})).end()
    has_colours = COLOURS.search(shown) is not None
    assert has_colours == (kind == "rich" and not no_colour)
    assert "encoding" in shown


def test_a_terminal_that_only_prints_gets_the_line(kind, net):
    _, _, shown = encoding("rich", net, TERM="dumb").end()
    assert NUMBERS.search(shown)
    assert_nothing_is_left("plain", shown)


def test_the_line_is_not_longer_than_the_terminal_is_wide(kind, net):
    _, _, shown = encoding(kind, net, columns=40).end()
    if kind == "plain":
        lines = shown.split("\r")
        assert max(map(len, lines)) == 39
    assert_nothing_is_left(kind, shown)


def test_ctrl_c_leaves_the_terminal_whole(kind, net):
    terminal = encoding(kind, net)
    terminal.read("layers.")
    terminal.run.send_signal(signal.SIGINT)
    code, out, shown = terminal.end()
    assert (code, out) == (130, "")
    assert "Traceback" not in shown
    assert_nothing_is_left(kind, shown)


def test_a_warning_has_a_line_of_its_own(kind, net, tmp_path):
    path = tmp_path / "net.qcodec"
    qcodec.save_file(qcodec.load_file(net), path, attached={"words": b"the of and"})
    arguments = ["decode", path, tmp_path / "out.safetensors"]
    _, _, shown = Terminal(AT_ONCE.format(plain=kind == "plain"), *arguments).end()
    message = f"qcodec: {tmp_path}/out.safetensors: warning: .safetensors cannot hold attached"
    before, _, after = shown.replace("\r\n", "\n").partition(message[:40])
    assert after
    assert before == "" or before[-1] in "\r\nKA"  # the end of a control sequence
