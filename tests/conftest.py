"""What all tests share."""

import os

from hypothesis import HealthCheck, settings

#: QCODEC_EXAMPLES=100000 makes every Hypothesis test that does not set its own number a long one.
settings.register_profile(
    "qcodec",
    deadline=None,
    max_examples=int(os.environ.get("QCODEC_EXAMPLES", "200")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("qcodec")
