"""File sizes and decoding speed beside other compressors, on the same weights.

Run `python -m benchmarks.peers --data FOLDER` (see docs/benchmarks.md). Every row is encoded,
decoded and compared in this run.

A byte compressor gets the numbers of a case as its user would store them (`forms.py`). Of these
forms, the one that it compresses best counts. Our files contain names, shapes, lengths and
checksums; for the others these are not counted. `arrays.py` has the peers that take arrays instead
of bytes.
"""
