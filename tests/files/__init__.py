"""Files and the command line: what they read and write, and how they fail."""
