"""What all tests share."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# The reference decoder is not installed. Last, so that `qcodec` is the installed one, if any.
sys.path.append(str(Path(__file__).parents[1]))

#: QCODEC_EXAMPLES=100000 makes every Hypothesis test that does not set its own number a long one.
settings.register_profile(
    "qcodec",
    deadline=None,
    max_examples=int(os.environ.get("QCODEC_EXAMPLES", "200")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("qcodec")
