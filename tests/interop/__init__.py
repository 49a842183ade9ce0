"""What other libraries do with our files."""
