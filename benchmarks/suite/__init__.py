"""Every goal beside its peer, in one run: `python -m benchmarks`."""
