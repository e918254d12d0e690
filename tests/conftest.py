"""Settings of all tests: how long Hypothesis looks for counterexamples."""

import os

from hypothesis import HealthCheck, settings

# An example drives a whole engine, so its time says nothing; a failure prints how to repeat it.
settings.register_profile(
    "fast",
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("slow", settings.get_profile("fast"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
