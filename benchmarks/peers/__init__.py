"""File sizes and decoding speed beside other compressors, on the same weights.

Run `python -m benchmarks.peers --data FOLDER` (see docs/benchmarks.md). Every row is encoded,
decoded and compared in this run.

What a peer is given. A byte compressor gets the case's numbers as its user would store them
(`forms.py`), and of those forms the one that it makes smallest counts. Names, shapes, lengths and
checksums, which are in our files, are not counted for anybody else. `arrays.py` has the peers that
take arrays instead of bytes.
"""
