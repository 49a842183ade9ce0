"""Recipes: which tensor gets which codec, and the published nets in `recipes/`."""
