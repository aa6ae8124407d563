"""What a failure of Milvus means: will it pass, and how is it said in one line?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import StoreAway

PASSING_STATES = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"}  # of gRPC
REFUSING_STATES = {"UNAUTHENTICATED", "PERMISSION_DENIED"}
PASSING_CODES = {  # of Milvus: starting, busy, not loaded again yet, a part of it lost
    *(2, 4, 8, 101, 103, 104, 400, 401, 500, 501, 503, 600, 601, 602, 901, 902, 903, 904, 905),
}  # fmt: skip
REFUSING_CODES = {1400, 1401}
PASSING_WORDS = re.compile(  # of failures that have no code of their own
    r"not ready|not available|unavailable|not healthy|offline|abnormal|initializing|closed channel|not loaded"
    r"|deadline exceeded|timed? ?out|retry run out|connection (refused|reset)",
    re.IGNORECASE,
)
WRAPPING = re.compile(r"\[\w+\] Retry (timeout: [\d.]+s|run out of \d+ retry times), (message=)?")  # of pymilvus
LONGEST_REASON = 160  # characters


def passes(error: Exception) -> bool:
    """Say whether a failure is one of being away, starting, or asked too much: asking again later may help.

    What pymilvus finds wrong with a call (its subclasses of MilvusException), and what the server does, does not pass.
    """
    states = [state for state in map(_state, _causes(error)) if state]
    if states:
        return states[-1] in PASSING_STATES
    code, kind = getattr(error, "code", None), type(error).__name__
    if kind == "MilvusUnavailableException" or code in PASSING_CODES:
        return True
    return kind in ("MilvusException", "ConnectError") and bool(PASSING_WORDS.search(str(error)))


def is_of_the_store(error: Exception) -> bool:
    """Say whether a failure comes from the server, the network or pymilvus, and not from the program."""
    return any(type(cause).__module__.partition(".")[0] in ("pymilvus", "grpc") for cause in _causes(error))


def store_away(address: StoreAddress, error: Exception, *, seconds: float) -> StoreAway:
    """Return the one line for a failure that did not pass within so many seconds, or does not pass at all."""
    causes = list(_causes(error))
    if REFUSING_STATES & set(map(_state, causes)) or getattr(error, "code", None) in REFUSING_CODES:
        return StoreAway(
            f"The store {address} refuses the token, or may not be used with it. Name it once more as "
            f"milvus://USER:PASSWORD@{address.server}/{address.collection}, or write a line `{address.server} TOKEN` "
            "into store.token beside the catalogue."
        )
    reason = _reason(causes)
    if not passes(error):
        return StoreAway(f"The store {address} cannot do what it was asked: {reason}. See the log of the server.")
    return StoreAway(
        f"The store {address} is away, and stayed so for {seconds:.0f} s: {reason}. Is the server running, and can "
        "this machine reach it? Then run the command again: what was stored stays, and the rest follows."
    )


def _causes(error: BaseException | None) -> Iterator[Any]:
    """Yield a failure and what led to it; pymilvus raises failures that are causes of themselves."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _state(error: Any) -> str | None:
    """Return the name of a state of gRPC; None where a failure is none of it."""
    code = getattr(error, "code", None)
    code = code() if callable(code) else code
    return str(code.name) if code is not None and type(code).__name__ == "StatusCode" else None


def _reason(causes: list[Any]) -> str:
    """Return what the innermost of some failures says, on one line and short."""
    details = [cause.details() for cause in causes if callable(getattr(cause, "details", None))]
    said = [getattr(cause, "message", "") or str(cause) for cause in causes]
    found = str(next((text for text in [*reversed(details), *said] if text), "no reason given"))
    line = " ".join(WRAPPING.sub("", found).split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"
