"""Prepare the process of a screening: it comes after the pages of the desk, and ends when the desk is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

NICER = 10  # than the desk: its pages come first


def get_ready() -> None:
    """Make this process one of the desk, before it runs the command line with its arguments."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the desk ignores it, as under nohup
    with suppress(OSError, AttributeError):  # Windows has no such thing
        os.nice(NICER)
    threading.Thread(target=_end_with_the_desk, daemon=True).start()
    sys.argv[0] = "artifact"


def _end_with_the_desk() -> None:
    """Wait until the pipe from the desk closes, however the desk ends; then interrupt, so that what was done stays."""
    with suppress(OSError):
        while os.read(0, 1):
            pass
    os.kill(os.getpid(), signal.SIGINT)
