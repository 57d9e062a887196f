"""What holds for all tests."""

import signal

from hypothesis import settings

# how long an example takes on a busy machine is no property of the code
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # the background job of a shell ignores Ctrl-C, and so would every program that a test starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
