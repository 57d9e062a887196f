"""What holds for all tests."""

from hypothesis import settings

# how long an example takes on a busy machine is no property of the code
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
