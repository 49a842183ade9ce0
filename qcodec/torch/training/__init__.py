"""The training kit: what trains a model whatever the method: loop, runs, schedules, penalties."""
