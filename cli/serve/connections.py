"""End connections that wait too long or are too many, so that nobody can use up what the process may open."""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle, Transport
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from retrieval.machine import open_files_limit

ASKS_WITHIN = 20.0  # seconds from the opening of a connection, or the first byte after an answer, to a whole request
MOST = 256  # connections, or half of what the process may open where that is less
AT_ONCE = 32  # connections that are accepted before they are counted


class BoundedProtocol(H11Protocol):
    """A connection that is ended where no whole head of a request comes, and where others need its place."""

    _late: TimerHandle | None = None
    _since = 0.0

    @property
    def is_asked(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: BaseTransport) -> None:
        """Count one connection more; where there are too many, the oldest that asks nothing makes room, else this."""
        super().connection_made(cast(Transport, transport))
        self._since = self.loop.time()
        self._late = self.loop.call_later(ASKS_WITHIN, self.transport.abort)
        if len(self.connections) > min(MOST, open_files_limit() // 2):
            bounded = [one for one in self.connections if isinstance(one, BoundedProtocol) and not one.is_asked]
            oldest = min(bounded, key=lambda one: one._since)
            self.connections.discard(oldest)
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; the time in which a whole head of a request has to come does not begin anew with it."""
        super().data_received(data)
        if self.is_asked:
            self._wait_no_more()
        elif self._late is None:
            self._late = self.loop.call_later(ASKS_WITHIN, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
