"""Time and memory against sizes and numbers, with the fitted exponents."""
