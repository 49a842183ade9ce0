"""Bytes: what a frame, a pack and a stream hold, and what hostile ones may cost."""
