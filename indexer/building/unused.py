"""Forget what no exemplar needs any more: vectors, features and working pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import unused_contents
from retrieval.catalogue.pictures import drop_pictures_of, drop_unused_pictures

STRAYS = "stray_pictures"  # the setting that is there while pictures may lie about of contents that are not noted


@contextmanager
def noting_strays(catalogue: Catalogue, *, are_kept: bool) -> Iterator[None]:
    """Let the next `drop_unused` look through all pictures where what keeps new ones within does not get to its end."""
    noted = are_kept and catalogue.setting(STRAYS) is None
    if noted:
        catalogue.db["settings"].insert({"key": STRAYS, "value": "perhaps"})
    yield
    if noted:
        _forget_note(catalogue)


def drop_unused(catalogue: Catalogue) -> None:
    """Forget vectors, features and working pictures of contents that no exemplar has.

    Pictures go first: what is noted of their contents is still there where a run is killed in between.
    """
    if catalogue.setting(STRAYS) is None:
        drop_pictures_of(catalogue.data, unused_contents(catalogue))
    else:
        drop_unused_pictures(catalogue)
        _forget_note(catalogue)
    catalogue.drop_unused_vectors()


def _forget_note(catalogue: Catalogue) -> None:
    with catalogue.db.atomic():
        catalogue.db.execute("DELETE FROM settings WHERE key = ?", [STRAYS])
