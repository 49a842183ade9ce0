"""A second set of nets, made on the spot: nothing of qcodec was tuned to them.

A small convolutional network for MNIST and a small transformer for the text of the standard
library, each trained by torch for about a minute. `python -m benchmarks.peers --nets FOLDER` trains
them, keeps them there, and reports both.
"""
