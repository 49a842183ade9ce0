"""A second set of nets, trained on the spot, so that nothing of qcodec can have been tuned to them.

A small convolutional network for MNIST and a small transformer for the text of the standard
library, each trained with torch for about a minute. `python -m benchmarks.peers --nets FOLDER`
trains them, keeps them in the folder, and reports both.
"""
