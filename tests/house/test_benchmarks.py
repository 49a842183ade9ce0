"""Benchmarks do not rot: they run on tiny sizes, and their statistics do not flatter."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks import builds
from benchmarks.suite import (
    beside,
    data,
    figures,
    frames,
    goal_table,
    goals,
    growth_goals,
    machine,
    measure,
    memory,
    memory_case,
    neighbours,
    numeric,
    peak,
    peers_c,
    peers_python,
    placement,
    ratios,
    report,
    streams,
    threads,
)
from benchmarks.suite.growth import by_groups, series
from benchmarks.suite.growth import run as growth
from benchmarks.suite.growth.extent import Extent
from benchmarks.suite.measure import Effort, Spread, in_turns, interleave, spread_of
from benchmarks.suite.native import MissingPeerError
from benchmarks.suite.result import Key, Result, Results
from recipes.sections import rewrite

TINY = Effort(rounds=2, seconds=1e-5)
# Groups whose goals are met with their measurements in tests of their own.
ELSEWHERE = ("codecs", "training", "applying", "memory", "threads", "placement", "growth")
# Of packages that are only compared with.
others_may_warn = pytest.mark.filterwarnings("ignore::DeprecationWarning")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.fixture
def no_peers(monkeypatch):
    def missing():
        raise MissingPeerError("none in tests")

    monkeypatch.setattr(peers_c, "zstd_entropy", missing)
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    monkeypatch.setattr(numeric, "find_spec", lambda name: None)


def result(key, seconds, share=None, clock="wall"):
    spread = Spread(seconds, seconds, seconds, seconds, 5, 0, clock)
    return Result(key, spread, 1000, "symbols", share)


@needs_compiler
def test_every_coding_is_measured_on_every_path_and_missing_peers_are_named(no_peers):
    results = Results()
    with pytest.warns(UserWarning, match="on km16: skipped: none in tests"):
        streams.measure(results, list(data.synthetic(3000))[:1], TINY)
    measured = {(key.method, key.path) for key in results if key.action == "decode"}
    assert {("lanes_huffman", path) for path in machine.available()} <= measured
    assert all(found.rate > 0 for found in results.values())


@needs_compiler
@pytest.mark.filterwarnings("ignore:.*skipped")
def test_every_goal_names_a_measurement_that_is_made(no_peers):
    results = Results()
    streams.measure(results, data.synthetic(3000), TINY)
    frames.measure(results, 4096, TINY)
    numeric.measure(results, 4096, TINY)
    made = {(key.group, key.data, key.method) for key in results}
    for goal in goal_table.goals(machine.available()[-1]):
        if goal.ours.group in ELSEWHERE:
            continue
        assert (goal.ours.group, goal.ours.data, goal.ours.method) in made
        if goal.peer is not None and goal.peer.method in ("store bound", "memcpy"):
            assert (goal.peer.group, goal.peer.data, goal.peer.method) in made


@others_may_warn
def test_training_is_measured_for_every_goal_and_without_a_thread_more():
    torch = pytest.importorskip("torch")
    from benchmarks.suite import applying, training

    results, threads = Results(), torch.get_num_threads()
    training.measure(results, TINY, dict.fromkeys(training.NETS, (2, 40)))
    applying.measure(results, TINY, dict.fromkeys(applying.COUNTS, 3))
    assert torch.get_num_threads() == threads
    for goal in goal_table.of_training():
        assert {goal.ours, goal.peer} <= results.keys()
        assert goals.judge(goal, results, []).found > 0
    steps = {key.method for key in results if key.group == "training"}
    assert steps == {"plain", *training.OWN, *training.PEERS}
    rows = report.sections({}, [], [], results)["training"].splitlines()
    assert len(rows) == 2 + len(training.NETS) * len(steps)
    assert sum("| ≤ " in row for row in rows) == len(training.NETS) * len(training.OWN)


@others_may_warn
def test_every_method_and_peer_changes_what_a_net_computes_with_as_it_says():
    torch = pytest.importorskip("torch")
    from benchmarks.suite import training

    dense = training.net(2, 40)[0].weight.detach()
    values = {"masks": 161, "shared": 16, "masks, then shared": 16, "latent": 16, "ternary": 3}
    values |= {"fixed point": 16, "torch.nn.utils.prune": 161}
    values |= {"torch.fake_quantize_per_tensor_affine": 16}
    values |= {"torch's parametrize, by the identity": 1600}
    for method, apply in {**training.OWN, **training.PEERS}.items():
        model = training.net(2, 40)
        apply(model)
        step = training.step_of(model, 40)
        weight = model[0].weight.detach().clone()
        assert weight.shape == dense.shape
        assert 3 <= len(weight.unique()) <= values[method], method
        before = [parameter.detach().clone() for parameter in model.parameters()]
        step()
        after = list(model.parameters())
        assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True)), method


def test_a_method_that_would_take_minutes_is_left_out_and_named(monkeypatch):
    pytest.importorskip("torch")
    from benchmarks.suite import applying

    monkeypatch.setattr(applying, "METHODS", {"slow": lambda model: None})
    monkeypatch.setattr(applying, "MAX_SECONDS", 0)
    results = Results()
    with pytest.warns(UserWarning, match="slow: left out above few, which took 0 s"):
        applying.measure(results, TINY, {"few": 1, "more": 2, "most": 3})
    assert [key.data for key in results] == ["few"]


def needs_peak():
    return pytest.mark.skipif(not peak.is_known(), reason="no peak of memory in /proc")


@needs_peak()
def test_memory_is_measured_for_every_goal_in_fresh_processes(monkeypatch):
    asked = []

    def in_a_process(name, size):
        asked.append((name, size))
        return 3 * size, 2 * size, 0.1

    monkeypatch.setattr(memory, "_in_a_process", in_a_process)
    results = Results()
    memory.measure(results, 100)
    assert asked == [(name, 100) for name in memory_case.CASES]
    for goal in goal_table.of_memory():
        verdict = goals.judge(goal, results, [])
        assert verdict.found == 1.5
        assert verdict.word == ("reached" if goal.floor >= 1.5 else "missed")
    assert len(results) == len(goal_table.of_memory())
    assert "| encode | lossless | 1.50 |" in figures.memory(results, "memory")


@needs_peak()
@pytest.mark.parametrize("name", ["decode, codebook4", "qcodec encode, lossless"])
def test_a_case_of_memory_runs_in_a_process(name):
    peak_bytes, whole, seconds = memory._in_a_process(name, 1 << 20)
    assert whole == (1 << 20 if name.startswith("decode") else 1 << 18)
    assert whole / 2 < peak_bytes < 100 * whole
    assert seconds > 0


@needs_peak()
def test_the_peak_of_memory_is_that_of_the_call_alone():
    size = 1 << 25
    np.ones(4 * size, np.uint8)  # before the call, so it does not count
    held = np.ones(size, np.uint8)
    found = peak.above(lambda: np.ones(size, np.uint8).sum())
    assert 0.95 * size < found < 1.5 * size
    assert len(held) == size


def test_threads_are_measured_for_every_goal():
    results = Results()
    threads.measure(results, 1 << 12, 2, Effort(1, 1e-5))
    for goal in goal_table.beside_others(machine.current()):
        if goal.ours.group == "threads":
            assert {goal.ours, goal.peer, *goal.yardstick[:2]} <= results.keys(), goal.what
    rows = beside.table(results, "threads").splitlines()[2:]
    assert len(rows) == len(results) / 2
    assert all(" | 2 threads | " in row and " | 1 thread | " in row for row in rows)
    names = {row.split(" | ")[0] for row in rows}
    for codec in threads.CODECS:
        assert {
            f"| decode {codec}, fast, {way}, out=" for way in ("bytes", "mmap", "pread")
        } < names


@pytest.mark.parametrize(
    ("gained", "computed", "word"),
    [(1.7, 2, "reached"), (1.5, 2, "missed"), (1.3, 1.6, "reached"), (1.5, 2.4, "missed")],
)
def test_a_goal_of_threads_is_for_what_the_machine_gave_in_the_same_rounds(gained, computed, word):
    results, path = Results(), machine.current()
    goal = next(goal for goal in goal_table.beside_others(path) if goal.floor == 1.6)
    ours, peer, _ = goal.yardstick
    for key, seconds in ((goal.ours, 1 / gained), (goal.peer, 1), (ours, 1 / computed), (peer, 1)):
        results.record(result(key, seconds))
    assert goals.judge(goal, results, [path]).word == word


def test_the_worst_case_of_threads_is_the_one_that_gains_least():
    results, path = Results(), machine.current()
    for row, one, two in (("raw, a", 2.0, 1.0), ("raw, b", 2.0, 3.0), ("raw, c", 9.0, 8.0)):
        for count, seconds in ((1, one), (2, two)):
            key = Key("threads", row, threads.method(count), "decode", path)
            results.record(result(key, seconds))
    threads._record_worst(results, "raw", 2)
    worst = Key("threads", f"raw, {threads.WORST}", "2 threads", "decode", path)
    assert results[worst].spread.median == 3.0
    assert results[goal_table.beside(worst)].spread.median == 2.0


@needs_compiler
def test_frames_are_decoded_at_every_offset_and_the_slowest_counts():
    results, asked = Results(), [0, 4, 48, 4032]
    placement.measure(results, 5000, Effort(1, 1e-5), asked)
    for goal in goal_table.beside_others("AVX-512"):
        if goal.ours.group == "placement" and "AVX-512" in machine.available():
            assert {goal.ours, goal.peer} <= results.keys()
    for key, found in results.items():
        if key.method == placement.SLOWEST:
            middle = results[Key(key.group, key.data, placement.MEDIAN, key.action, key.path)]
            assert found.spread.lower >= middle.spread.lower
    pages = placement.Pages(100)
    assert [pages.at(offset).ctypes.data % placement.PAGE for offset in asked] == asked
    assert all(len(pages.at(offset)) == 100 for offset in placement.OFFSETS)


@pytest.mark.filterwarnings("ignore::qcodec.QCodecWarning")
def test_growth_is_measured_for_every_goal():
    results = Results()
    growth.measure(results, Extent(weights=1 << 13, tensors=4, groups=4), Effort(1, 1e-6))
    for goal in growth_goals.goals():
        if "memory" not in goal.ours.action or peak.is_known():
            assert goals.judge(goal, results, []).found is not None, goal.what
    rows = figures.growth(results, "growth").splitlines()[2:]
    assert len(rows) == sum(goal.ours in results for goal in growth_goals.goals())
    assert by_groups.title(*by_groups.PAIRS[0]) in rows[-4]


def test_exponents_are_those_of_the_upper_range():
    sizes = series.up_to(1 << 20, 1)
    overhead = {size: 100 + size**1.5 for size in sizes}
    assert series.Growth.LINEAR.figure(overhead) == pytest.approx(1.5, abs=0.02)
    assert series.Growth.CONSTANT.figure(dict.fromkeys(sizes, 7.0)) == pytest.approx(0)
    assert series.exponent([5], [1.0]) == 0


def test_a_cliff_is_a_smaller_size_that_takes_longer_than_any_larger_one():
    found = {1: 1.0, 2: 6.0, 3: 2.0, 4: 3.0}
    assert series.Growth.NO_CLIFF.figure(found) == 3
    assert series.Growth.NO_CLIFF.figure({1: 1.0, 2: 2.0}) == 0.5
    assert series.Growth.LEVEL.figure(found) == 6


def test_a_cost_is_a_time_of_one_unit_divided_by_that_of_the_other():
    ours, peer = Key("training", "d", "masks", "step"), Key("training", "d", "plain", "step")
    results = Results({ours: result(ours, 3.0), peer: result(peer, 2.0)})
    words = [
        goals.judge(goals.Goal("cost", goals.COST, ours, peer, maximum), results, []).word
        for maximum in (1.4, 1.5)
    ]
    assert words == ["missed", "reached"]
    results[ours] = Result(ours, result(ours, 3.0).spread, 2000, "symbols")
    *_, row, _ = ratios.table(results, "training").splitlines()
    assert row == "| d | masks | 1,500 | 0.75 (0.75 to 0.75) |  |  |"


def test_our_codec_gives_every_kind_of_array_back(monkeypatch):
    monkeypatch.setattr(peers_python, "FACTORIES", {"qcodec": peers_python.FACTORIES["qcodec"]})
    weights = data.gaussian(1000)
    halves = (weights.view("u4") >> 16).astype("u2")
    for array in (data.k_means(1000, 4), halves, weights):
        codecs, missing = peers_python.codecs(array)
        assert not missing
        assert all(
            codec.decode(codec.encode(array)).tobytes() == array.tobytes() for codec in codecs
        )


def test_symbol_sets_have_the_entropy_that_they_are_named_for():
    sets = {symbols.name: symbols for symbols in data.synthetic(20_000)}
    assert sets["tern90"].entropy == pytest.approx(0.569, abs=0.03)
    assert all(symbols.symbols.max() < 1 << symbols.width for symbols in sets.values())


def test_an_interruption_does_not_make_a_job_look_slow():
    quiet_and_interrupted = spread_of([1.0, 1.0, 1.0, 9.0], [1.0] * 4)
    assert (quiet_and_interrupted.median, quiet_and_interrupted.dropped) == (1.0, 1)
    always_interrupted = spread_of([3.0, 9.0, 5.0, 4.0], [1.0, 1.0, 1.0, 1.0])
    assert (always_interrupted.median, always_interrupted.clock) == (1.0, "processor")


def test_samples_of_several_threads_count_if_no_other_process_had_a_processor():
    walls, quiet = [1.0, 1.0, 9.0, 1.0], [True, True, False, True]
    found = spread_of(walls, [2.0] * 4, quiet)
    assert (found.median, found.dropped, found.clock) == (1.0, 1, "wall")
    assert spread_of(walls, [2.0] * 4, [True, False, False, True]).clock == "unsure"


def test_the_share_of_other_processes_is_that_of_the_whole_round(monkeypatch):
    monkeypatch.setattr(measure, "QUIET_NEIGHBOURS", -1)
    found = in_turns({"a": lambda: None}, 4, threads=2)["a"]
    assert (found.clock, found.dropped) == ("unsure", 0)
    monkeypatch.setattr(measure, "QUIET_NEIGHBOURS", 1000)
    known = neighbours.Neighbours().share() is not None
    assert in_turns({"a": lambda: None}, 4, threads=2)["a"].clock == ("wall" if known else "unsure")


def test_another_process_is_seen_and_the_own_one_is_not():
    if neighbours.Neighbours().share() is None:
        pytest.skip("this system hides what other processes use")
    code = "import time; t = time.process_time()\nwhile time.process_time() < t + 0.3: pass"
    before = time.perf_counter()
    watch = neighbours.Neighbours()
    subprocess.run([sys.executable, "-c", code], check=True)
    assert watch.share() * (time.perf_counter() - before) > 0.25


def test_jobs_take_turns():
    calls = []
    interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, Effort(3, 0))
    assert "".join(calls[-6:]) == "ababab"


def test_choosing_a_path_is_not_in_the_time(monkeypatch):
    calls, now = [], [0.0]

    def pass_time(seconds):
        now[0] += seconds

    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(measure.time, clock, lambda: now[0])
    jobs = {"a": lambda: pass_time(0.5)}
    assert interleave(jobs, Effort(3, 0), before=lambda name: pass_time(20)).pop("a").median == 0.5
    monkeypatch.undo()
    interleave({"a": lambda: None}, Effort(3, 0), before=calls.append)
    assert calls == ["a"] * 4


def test_goals_are_judged_by_the_ratio_in_one_run():
    ours, peer = Key("g", "d", "ours", "decode", "AVX2"), Key("g", "d", "peer", "decode")
    goal = goals.Goal("twice", goals.FASTER, ours, peer, 2, 4)
    words = []
    for seconds in (1, 2, 5):
        results = Results({ours: result(ours, 1), peer: result(peer, seconds)})
        words.append(goals.judge(goal, results, ["AVX2"]).word)
    assert words == ["missed", "reached", "moonshot"]


def test_goals_of_size_and_time_are_upper_limits():
    key = Key("g", "d", "ours", "decode")
    results = Results({key: result(key, 7e-6, share=101.0)})
    size = goals.Goal("size", goals.SMALLER, key, None, 101.3)
    call = goals.Goal("call", goals.TIME, key, None, 5)
    assert goals.judge(size, results, []).word == "reached"
    assert goals.judge(call, results, []).word == "missed"


def test_no_verdict_without_a_peer_a_path_or_a_quiet_machine():
    ours, peer = Key("g", "d", "ours", "decode", "NEON"), Key("g", "d", "peer", "decode")
    goal = goals.Goal("twice", goals.FASTER, ours, peer, 2, 4)
    assert goals.judge(goal, Results(), ["AVX2"]).word == "owed to a machine with NEON"
    alone = Results({ours: result(ours, 1)})
    assert goals.judge(goal, alone, ["NEON"]).word == "peer is missing"
    unsure = Results({ours: result(ours, 1), peer: result(peer, 9, clock="unsure")})
    assert goals.judge(goal, unsure, ["NEON"]).word == "not judged: the machine may have been busy"


def test_results_survive_json(tmp_path):
    key = Key("g", "d", "ours", "decode", "AVX2")
    results = Results({key: result(key, 2.0, share=99.5)})
    report.write_json(tmp_path / "r.json", {"processor": "one"}, [], [], results)
    assert Results.from_dicts(json.loads((tmp_path / "r.json").read_text())["results"]) == results


def test_a_table_tells_what_clock_its_figures_are_of():
    key, other = Key("g", "d", "ours_1", "decode", "AVX2"), Key("g", "d", "peer", "decode")
    results = Results({key: result(key, 1e-6, 99.0), other: result(other, 4e-6, None, "processor")})
    *_, first, second = report.group_table(results, "g").splitlines()
    assert first == "| d | ours 1 | AVX2 | 1 (1 to 1; 1) | 99.00 % |"
    assert second == "| d | peer |  | 0.25 (0.25 to 0.25; 0.25) p |  |"


def test_tables_are_rewritten_between_their_markers_only(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("before\n<!-- goals -->\nold\n<!-- /goals -->\nafter\n")
    rewrite(document, {"goals": "new \\1"})
    assert document.read_text() == "before\n<!-- goals -->\nnew \\1\n<!-- /goals -->\nafter\n"
    with pytest.raises(ValueError, match="streams"):
        rewrite(document, {"streams": "table"})


def test_two_builds_are_timed_by_jobs_that_work_and_shown_by_their_ratio(tmp_path):
    jobs = builds.jobs(str(tmp_path))
    for job in jobs.values():
        job()
    old, new = ([dict.fromkeys(jobs, seconds)] * 3 for seconds in (2e-6, 3e-6))
    rows = builds.table(old, new)
    assert len(rows) == len(jobs)
    assert all(row.endswith(" | 2.00 | 3.00 | 1.500 (1.500 to 1.500) |") for row in rows)
