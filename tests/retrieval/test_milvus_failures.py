"""What failures of Milvus mean, and what is made of them, without a server and without pymilvus."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pytest

from retrieval.catalogue import milvus
from retrieval.catalogue.milvus import MilvusVectors, StoredVector
from retrieval.catalogue.milvus_failures import passes, store_away
from retrieval.catalogue.retrying import Patience
from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import StoreAway

ADDRESS = StoreAddress("store", "works", token="root:hush")
StatusCode = enum.Enum("StatusCode", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "UNAUTHENTICATED", "INVALID_ARGUMENT"])


class MilvusException(Exception):
    """As pymilvus raises it."""

    __module__ = "pymilvus.exceptions"

    def __init__(self, code: Any, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ParamError(MilvusException):
    __module__ = "pymilvus.exceptions"


class RpcError(Exception):
    """As gRPC raises it: its code is asked for by a call."""

    __module__ = "grpc"

    def __init__(self, state: StatusCode, details: str = "") -> None:
        super().__init__()
        self.code = lambda: state
        self.details = lambda: details


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RpcError(StatusCode.UNAVAILABLE), True),
        (RpcError(StatusCode.INVALID_ARGUMENT), False),
        (caused(MilvusException(2), RpcError(StatusCode.DEADLINE_EXCEEDED)), True),
        (caused(MilvusException(2), RpcError(StatusCode.UNAUTHENTICATED)), False),
        (MilvusException(StatusCode.UNAVAILABLE), True),
        (MilvusException(2, "Fail connecting to server"), True),
        (MilvusException(8, "request rate limiter deny"), True),
        (MilvusException(101, "collection not loaded"), True),
        (MilvusException(1, "service not ready[rootcoord=1]: Initializing"), True),
        (MilvusException(1, "Unexpected error, message=<Cannot invoke RPC on closed channel!>"), True),
        (MilvusException(1, "[search] Retry timeout: 3s"), True),
        (MilvusException(9, "quota exceeded: disk full"), False),
        (MilvusException(100, "collection not found"), False),
        (MilvusException(65535, "cannot parse expression"), False),
        (ParamError(1, "`timeout` is not available"), False),
        (ZeroDivisionError(), False),
    ],
    ids=repr,
)
def test_only_being_away_and_being_busy_pass(error, expected):
    assert passes(error) is expected


def test_a_failure_that_causes_itself_ends():
    error = MilvusException(8)
    error.__cause__ = error
    assert passes(error)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (caused(MilvusException(2), RpcError(StatusCode.UNAUTHENTICATED, "auth\ncheck")), "refuses the token"),
        (caused(MilvusException(2), RpcError(StatusCode.UNAVAILABLE, "no\nroute")), "stayed so for 7 s: no route. Is"),
        (MilvusException(1, "[search] Retry timeout: 3s, message=not ready"), "7 s: not ready. Is the server"),
        (MilvusException(9, "quota\nexceeded " * 50), "cannot do what it was asked: quota exceeded"),
    ],
    ids=repr,
)
def test_each_is_said_on_one_line(error, says):
    line = str(store_away(ADDRESS, error, seconds=7))
    assert says in line and "milvus://store:19530/works" in line
    assert "\n" not in line and "hush" not in line and len(line) < 450


class Client:
    """A client of which each call takes what is next: a failure that is raised, or nothing."""

    def __init__(self, failures: list[Exception | None]) -> None:
        self.failures = failures
        self.closed = False

    def upsert(self, name: str, data: list, timeout: float) -> None:
        error = self.failures.pop(0)
        if error is not None:
            raise error

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clients(monkeypatch) -> list[Client]:
    """The clients that were connected, each of which fails as the first says."""
    made: list[Client] = []

    def connect(address: StoreAddress, *, seconds: float) -> Client:
        made.append(Client(made[0].failures if made else []))
        return made[-1]

    monkeypatch.setattr(milvus, "connect", connect)
    monkeypatch.setattr(milvus, "ensure", lambda *args, **options: None)
    return made


def put(clients: list[Client], failures: list[Exception | None]) -> None:
    store = MilvusVectors(ADDRESS, dim=2, fingerprint="tiny", patience=Patience(sleep=lambda seconds: None))
    clients[0].failures.extend(failures)
    store.put([StoredVector(1, np.zeros(2, np.float32))])


def test_what_passes_is_asked_again_on_a_new_connection(clients):
    put(clients, [MilvusException(8), RpcError(StatusCode.UNAVAILABLE), None])
    assert [client.closed for client in clients] == [True, True, False]


def test_what_the_server_does_not_do_is_asked_once(clients):
    with pytest.raises(StoreAway, match="disk full"):
        put(clients, [MilvusException(9, "disk full"), None])
    assert len(clients[0].failures) == 1


def test_our_own_mistake_stays_one(clients):
    with pytest.raises(ZeroDivisionError):
        put(clients, [ZeroDivisionError(), None])
    assert len(clients[0].failures) == 1
