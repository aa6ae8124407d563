"""Serve pages that commands have written, each under a policy that allows what the page holds and no more."""

from __future__ import annotations

import base64
import hashlib
import html
import mmap
import re
from functools import lru_cache
from pathlib import Path

from starlette.responses import FileResponse, Response

from cli.serve.people.refused import Refused

HEAD = 4_000  # bytes, which come before any text from outside
MOST_STYLES = 300  # in attributes; a header has no room for more
_SCRIPT = re.compile(rb"script-src ('sha256-[A-Za-z0-9+/=]{44}')")
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_ATTRIBUTE = re.compile(rb' style="([^"<>]*)"')
REST = (
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-same-origin allow-popups"  # of its own origin, so that its links bring the cookie
)


def written_page(file: Path) -> Response:
    """Return the answer that is a page in a file; raises Refused where there is none."""
    try:
        status = file.stat()
        policy = _policy(file, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError) as error:
        raise Refused(404, "There is no such page here. It may not be written yet.") from error
    return FileResponse(file, media_type="text/html", headers={"Content-Security-Policy": policy})


@lru_cache(maxsize=256)
def _policy(file: Path, modified_ns: int, size: int) -> str:
    """Return the policy of a page, which changes with the file.

    The script is the one whose hash the page states at its very beginning, where no text from outside can stand.
    """
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        script = _SCRIPT.search(content[:HEAD])
        block = _STYLE.search(content)
        styles = [_hash(block[1])] if block else []
        attributes = {found[1] for found in _ATTRIBUTE.finditer(content)}
    if attributes and len(attributes) <= MOST_STYLES:
        styles += ["'unsafe-hashes'", *sorted(_hash(html.unescape(one.decode()).encode()) for one in attributes)]
    scripts = f"script-src {script[1].decode()}; " if script else ""
    styled = " ".join(styles) or "'none'"
    return f"default-src 'none'; img-src data:; style-src {styled}; {scripts}{REST}"


def _hash(text: bytes) -> str:
    """Return the hash of a text as a policy names it; a browser reads every end of a line as one sign."""
    plain = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(plain).digest()).decode()}'"
