"""Encodes tensors as frames and decodes frames, completely or in parts."""
