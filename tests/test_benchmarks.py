"""Benchmarks do not rot: they run on tiny sizes."""

from benchmarks import frames


def test_frames_are_decoded_in_every_way():
    found = frames.rows(5000)
    assert len(found) == 2 + 2 * len(frames.CODECS) + 2
    assert all(rate > 0 for *_, rate, _ in found)
