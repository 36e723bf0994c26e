"""A busy machine is no fault of an example: none of Hypothesis' has to end within a time."""

from hypothesis import settings

settings.register_profile("sojourn", settings(), deadline=None)
settings.load_profile("sojourn")
