"""What `artifact serve` does: serve the desk until Ctrl-C."""

from __future__ import annotations

import errno
import socket
import threading
import webbrowser
from contextlib import suppress

import typer

from cli.output.text import plain
from cli.serve.settings import Settings, bracketed, is_loopback
from retrieval.catalogue.database import check_there
from retrieval.errors import ArtifactError
from retrieval.extras import how_to_install

ENDS_WITHIN = 5  # seconds, for what is being answered
OPENED_AFTER = 0.5  # seconds


def run_serve(settings: Settings, *, opened: bool) -> None:
    """Serve the desk, say its address, and open a browser where that is `opened`; returns after Ctrl-C."""
    check_there(settings.data)
    try:
        import uvicorn

        from cli.serve.app import make_app
        from cli.serve.connections import AT_ONCE, BoundedProtocol
    except ModuleNotFoundError as error:
        raise ArtifactError(f"The desk needs {error.name}, of the extra `serve`: {how_to_install('serve')}.") from error
    listening = _listen(settings.host, settings.port)
    app = make_app(settings)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        backlog=AT_ONCE,
        root_path=settings.prefix,
        log_level="warning",
        server_header=False,
        proxy_headers=settings.address is not None,
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=ENDS_WITHIN,
    )
    server = uvicorn.Server(config)
    app.state.service.is_ending = lambda: server.should_exit
    _say_where(settings)
    if opened:
        threading.Timer(OPENED_AFTER, webbrowser.open, [settings.link]).start()  # the socket listens already
    with suppress(KeyboardInterrupt):  # raised once more when the server has ended
        server.run(sockets=[listening])
    typer.echo("closed; what was recorded and kept stays", err=True)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises ArtifactError where another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ArtifactError(f"Another program has port {port} on {host}. Name another: --port.") from error
        raise ArtifactError(f"Cannot listen on {bracketed(host)}:{port}: {error.strerror or error}") from error
    return listening


def _say_where(settings: Settings) -> None:
    typer.echo(f"the desk is at {settings.link}")
    if settings.tokens:
        counted = len(settings.tokens)
        typer.echo(f"with a token: {counted} {'person' if counted == 1 else 'people'} may come in", err=True)
        if not settings.is_secure and not is_loopback(settings.host):
            typer.echo("over the network tokens and photographs go unencrypted; docs/desk.md shows TLS", err=True)
    for folder in settings.allowed:
        typer.echo(f"photographs may be screened in {plain(str(folder))}", err=True)
    typer.echo("Ctrl-C ends it", err=True)
