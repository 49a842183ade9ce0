"""Benchmarks do not rot: they run on tiny sizes, and their statistics do not flatter."""

import shutil

import pytest

from benchmarks import frames
from benchmarks.suite import data, goals, machine, peers_c, report, streams
from benchmarks.suite.measure import Effort, Spread, interleave, spread_of
from benchmarks.suite.native import MissingPeerError
from benchmarks.suite.result import Key, Result, Results

TINY = Effort(rounds=2, seconds=1e-5)
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def without_peers():
    raise MissingPeerError("none in tests")


def result(key, seconds, share=None, clock="wall"):
    spread = Spread(seconds, seconds, seconds, seconds, 5, 0, clock)
    return Result(key, spread, 1000, "symbols", share)


def test_frames_are_decoded_in_every_way():
    found = frames.rows(5000)
    assert len(found) == 2 + 2 * len(frames.CODECS) + 2
    assert all(rate > 0 for *_, rate, _ in found)


@needs_compiler
def test_every_coding_is_measured_on_every_path_and_missing_peers_are_named(monkeypatch):
    monkeypatch.setattr(peers_c, "zstd_entropy", without_peers)
    results = Results()
    with pytest.warns(UserWarning, match="on km16: skipped: none in tests"):
        streams.measure(results, list(data.synthetic(3000))[:1], TINY)
    measured = {(key.method, key.path) for key in results if key.action == "decode"}
    assert {("lanes_huffman", path) for path in machine.available()} <= measured
    assert all(found.rate > 0 for found in results.values())


def test_symbol_sets_have_the_entropy_that_they_are_named_for():
    sets = {symbols.name: symbols for symbols in data.synthetic(20_000)}
    assert sets["tern90"].entropy == pytest.approx(0.569, abs=0.03)
    assert all(symbols.symbols.max() < 1 << symbols.width for symbols in sets.values())


def test_an_interruption_does_not_make_a_job_look_slow():
    quiet_and_interrupted = spread_of([1.0, 1.0, 9.0], [1.0, 1.0, 1.0])
    assert (quiet_and_interrupted.median, quiet_and_interrupted.dropped) == (1.0, 1)
    always_interrupted = spread_of([3.0, 9.0, 5.0, 4.0], [1.0, 1.0, 1.0, 1.0])
    assert (always_interrupted.median, always_interrupted.clock) == (1.0, "processor")
    assert spread_of([3.0, 9.0], [1.0, 1.0], threads=2).clock == "busy"


def test_jobs_take_turns():
    calls = []
    interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, Effort(3, 0))
    assert "".join(calls[-6:]) == "ababab"


def test_goals_are_judged_by_the_ratio_in_one_run():
    ours, peer = Key("g", "d", "ours", "decode", "AVX2"), Key("g", "d", "peer", "decode")
    goal = goals.Goal("twice", ours, peer, 2, 4)
    words = []
    for seconds in (1, 2, 5):
        results = Results({ours: result(ours, 1), peer: result(peer, seconds)})
        words.append(goals.judge(goal, results, ["AVX2"]).word)
    assert words == ["missed", "reached", "moonshot"]


def test_no_verdict_without_a_peer_a_path_or_a_quiet_machine():
    ours, peer = Key("g", "d", "ours", "decode", "NEON"), Key("g", "d", "peer", "decode")
    goal = goals.Goal("twice", ours, peer, 2, 4)
    assert goals.judge(goal, Results(), ["AVX2"]).word == "owed to a machine with NEON"
    alone = Results({ours: result(ours, 1)})
    assert goals.judge(goal, alone, ["NEON"]).word == "peer is missing"
    busy = Results({ours: result(ours, 1), peer: result(peer, 9, clock="busy")})
    assert goals.judge(goal, busy, ["NEON"]).word == "not judged: the machine was busy"


def test_every_goal_names_a_measurement_that_is_made():
    names = {symbols.name for symbols in data.synthetic(1000)}
    for goal in goals.goals("AVX2"):
        if goal.ours.group == "streams":
            assert goal.ours.data in names
            assert goal.peer is None or goal.peer.data == goal.ours.data


def test_tables_are_rewritten_between_their_markers_only(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("before\n<!-- goals -->\nold\n<!-- /goals -->\nafter\n")
    report.update(document, {"goals": "new \\1"})
    assert document.read_text() == "before\n<!-- goals -->\nnew \\1\n<!-- /goals -->\nafter\n"
    with pytest.raises(ValueError, match="streams"):
        report.update(document, {"streams": "table"})
