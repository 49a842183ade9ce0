"""The training kit, for all methods: the loop, runs, schedules, penalties."""
