"""Numbers: what quantizers and codecs choose, and how good it is."""
