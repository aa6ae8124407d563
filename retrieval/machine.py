"""What this machine offers."""

from __future__ import annotations

import os
from functools import cache
from typing import Any


def cpu_count() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def import_cv2() -> Any:
    """Import OpenCV only where it is needed; the threads are ours."""
    import cv2

    cv2.setNumThreads(1)
    return cv2
