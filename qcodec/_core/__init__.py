"""The C core as Python sees it: thin, typed, without the GIL."""
