"""Shared by all other packages: arrays, checks, configurations, messages, threads."""
