"""The contents of the golden files of a release."""
