"""Connections that ask nothing, or never to the end, take nothing from others."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest
import uvicorn

from cli.serve.connections import BoundedProtocol
from tests.serve.conftest import serving

HALF = b"GET / HTTP/1.1\r\nHost: x\r\n"
QUICK = 0.6  # seconds, for 20


async def slow_app(scope, receive, send):
    """Answer after the time in which a request has to come, and read nothing of it."""
    if scope["path"] == "/slow":
        await asyncio.sleep(QUICK * 2)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch) -> Iterator[int]:
    """A server whose connections have to ask soon."""
    monkeypatch.setattr("cli.serve.connections.ASKS_WITHIN", QUICK)
    config = uvicorn.Config(slow_app, http=BoundedProtocol, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def ends_after(connection: socket.socket, *, every: bytes = b"") -> float:
    """Return after how many seconds a connection is ended, to which something is sent again and again."""
    connection.settimeout(0.05)
    begun = time.monotonic()
    while time.monotonic() - begun < 5:
        try:
            connection.sendall(every)
            if not connection.recv(1000):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("first", "every"),
    [
        (b"", b""),
        (HALF, b""),
        (HALF, b"x"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + HALF, b"x"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "half", "slow", "second", "unread"],
)
def test_a_connection_on_which_no_whole_request_comes_is_ended_however_often_it_says_something(port, first, every):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(first)
        assert QUICK * 0.5 < ends_after(connection, every=every) < QUICK * 4


def test_a_request_that_is_answered_slowly_is_answered(port):
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/slow").text == client.get("/").text == "ok"


@contextmanager
def files_limit(most: int) -> Iterator[None]:
    """Let this process, and those that it begins, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_the_desk_answers_while_more_connections_are_open_than_it_may_have(data):
    with ExitStack() as opened:
        with files_limit(256):
            served = opened.enter_context(serving(data))
        address = ("127.0.0.1", int(served.address.rpartition(":")[2]))
        for number in range(600):
            connection = opened.enter_context(socket.create_connection(address, 10))
            connection.sendall(HALF)
            if number % 100 == 99:
                assert httpx2.get(served.address + "/", timeout=10).status_code == 200
    assert "Traceback" not in served.log.read_text() and "out of system resource" not in served.log.read_text()
