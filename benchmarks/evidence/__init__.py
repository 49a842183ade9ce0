"""qcodec on real nets: sizes, accuracy after decoding, bytes read.

Run `python -m benchmarks.evidence --data FOLDER` (see docs/benchmarks.md).
"""
