"""The papers' results, reproduced: `python -m recipes` lists what there is."""
