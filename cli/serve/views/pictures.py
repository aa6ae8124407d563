"""Show photographs and exemplars small, each made once and kept where it may be deleted."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from functools import partial
from math import ceil, inf
from pathlib import Path

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.serve.people.refused import Refused
from cli.serve.people.sessions import service
from cli.serve.service import Service
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import photo_of
from retrieval.catalogue.pictures import read_exemplar
from retrieval.catalogue.rows import Photo
from retrieval.errors import UnreadableImage
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog

SIDES = (96, 220, 480, 960)  # pixels of the long side
_one_of_few = threading.BoundedSemaphore(cpu_count())  # each takes a child process


def of_verdict(request: Request) -> Response:
    """Show the work that a verdict is on, cut out of its photograph; only of the very file that was judged."""
    desk, side = service(request), _side(request)
    with VerdictLog.reading(desk.data) as log:
        entry = log.entry(request.path_params["number"])
    # what was refused when it was judged, as one of too many pixels, is read no more here, where nothing limits it
    if entry.sha256 is None or not entry.has_picture:
        raise Refused(404, "There is no picture of this verdict.")
    region = "-".join(map(str, entry.region or ()))
    return _jpeg(desk, entry.sha256, f"{entry.picture or 0}-{region}-{side}", partial(_small_work, entry, side))


def of_exemplar(request: Request) -> Response:
    """Show an exemplar, by its working picture where its file is away."""
    desk, side = service(request), _side(request)
    with Catalogue.reading(desk.data) as catalogue:
        found = photo_of(catalogue, request.path_params["photo_id"])
    if found is None:
        raise Refused(404, "There is no such exemplar now.")
    return _jpeg(desk, found.sha256, str(side), partial(_small_exemplar, desk.data, found, side))


def _side(request: Request) -> int:
    side = request.query_params.get("side", "220")
    if side not in map(str, SIDES):
        raise Refused(422, f"side is one of {', '.join(map(str, SIDES))}.")
    return int(side)


def _jpeg(desk: Service, sha256: str, which: str, make: Callable[[], bytes]) -> Response:
    """Return a small picture of a content."""

    def made() -> bytes:
        with _one_of_few:
            return desk.reader.run(make)

    try:
        content = desk.small.get(sha256, which, made)
    except UnreadableImage as error:
        raise Refused(404, f"Not shown: {error}.") from error
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def _small_work(entry: LogEntry, side: int) -> bytes:
    """Return the region of a verdict as a JPEG; runs in a child."""
    photo = read_photograph(Path(entry.photo), short_side=2 * side, max_megapixels=inf, picture=entry.picture)
    if photo.sha256 != entry.sha256:
        raise UnreadableImage("the file has changed since it was judged")
    image = photo.image
    if entry.region:
        x, y, width, height = (at * image.width / photo.width for at in entry.region)
        image = image.crop((int(x), int(y), min(ceil(x + width), image.width), min(ceil(y + height), image.height)))
    return _as_jpeg(image, side)


def _small_exemplar(data: Path, photo: Photo, side: int) -> bytes:
    return _as_jpeg(read_exemplar(data, photo, short_side=side, max_megapixels=inf).image, side)


def _as_jpeg(image: Image.Image, side: int) -> bytes:
    image.thumbnail((side, side))
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()


ROUTES = (
    Route("/verdicts/{number:int}/picture", of_verdict, name="verdict_picture"),
    Route("/exemplars/{photo_id:int}/picture", of_exemplar, name="exemplar_picture"),
)
