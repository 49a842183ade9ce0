"""The format: frames, packs and streams, and the cost of hostile ones."""
