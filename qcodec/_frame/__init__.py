"""Frames: one tensor and its bytes, in both directions, whole or in parts."""
