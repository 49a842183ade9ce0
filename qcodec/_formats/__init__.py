"""Files of other formats: where their tensors are, and what else they say.

Each format is a module with a function that reads a `Directory` from a file; `known.py` lists them.
Only heads are read. Nothing of a file is executed.
"""
