"""What quantized nets answer, beside the float net: size and agreement for each way to encode.

Run `python -m benchmarks.quality --nets FOLDER` (see docs/quality.md).
"""
