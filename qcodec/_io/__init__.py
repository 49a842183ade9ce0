"""Reads and writes bytes, whatever they mean: in memory, files, devices and pipes."""
