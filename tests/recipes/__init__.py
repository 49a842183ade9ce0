"""Tests of recipes: the codec of each tensor, and the programs in `recipes/`."""
