"""What this machine offers."""

from __future__ import annotations

import math
import os
from functools import cache
from typing import Any


def cpu_count() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_limit() -> int | None:
    """Return how many bytes of address space this process may have; None where nothing limits it."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def open_files_limit() -> float:
    """Return how many files and connections this process may have open."""
    try:
        import resource
    except ImportError:  # on Windows
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if limit == resource.RLIM_INFINITY else limit


@cache
def import_cv2() -> Any:
    """Import OpenCV only where it is needed; the threads are ours."""
    import cv2

    cv2.setNumThreads(1)
    return cv2
