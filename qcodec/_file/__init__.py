"""Reads and writes files of tensors: safetensors headers, packs and directories."""
