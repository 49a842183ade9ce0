"""Recipes that reproduce the papers' results. `python -m recipes --help` lists them."""
