"""Files and the command line: what is written where, what is read, and how it fails."""
