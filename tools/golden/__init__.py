"""What the golden files of a release hold."""
