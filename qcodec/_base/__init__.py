"""What all rooms share: arrays, checks, configurations, messages, threads; no frames, no files."""
