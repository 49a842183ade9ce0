"""Writers of the format that share no code with the library, and Hypothesis strategies."""
