"""Other people's formats: each module reads and writes one."""
