"""Fill the templates of pages; text from outside is made safe here and nowhere else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from cli.output.text import plain
from cli.pages.charts import AREA
from cli.pages.parts import SIGNS
from retrieval.moment import now, shown

if TYPE_CHECKING:
    from jinja2 import Environment

PIECES = 64  # parts of a page that are written together


def page_pieces(template: str, **values: object) -> Iterator[str]:
    """Yield a page in pieces, each as soon as the values in the piece are known."""
    stream = environment().get_template(template).stream(values)
    stream.enable_buffering(PIECES)
    return stream


@cache
def environment() -> Environment:
    """Return the environment of the templates; Jinja2 is imported only where a page is written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("cli.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {"AREA": AREA, "SIGNS": SIGNS, "source": _source, "hash_of": _hash_of, "written": _written}
    made.filters |= {
        "decimals": _decimals,
        "percent": "{:.1%}".format,
        "grouped": "{:,}".format,
        "counted": _counted,
        "share": _share,
    }
    return made


def _printable(value: object) -> object:
    """Return what a template shows as printable text, in one line; markup stays unchanged."""
    return value if hasattr(value, "__html__") else plain(str(value))


@cache
def _source(name: str) -> str:
    """Return the text of a style or a script, which a page holds unchanged."""
    return (files("cli.pages") / "templates" / name).read_text("utf-8")


def _hash_of(name: str) -> str:
    """Return the hash of a script, by which the policy of a page lets no other run."""
    return base64.b64encode(hashlib.sha256(_source(name).encode()).digest()).decode()


def _written() -> str:
    return shown(now())


def _decimals(value: float | None, places: int = 3) -> str:
    return "none" if value is None else f"{value:.{places}f}"


def _share(value: float) -> str:
    """Return how far from the left a value lies on a scale from 0 to 1."""
    return f"{100 * min(max(value, 0.0), 1.0):.2f}%"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
