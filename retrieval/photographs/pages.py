"""Count the pictures in a file without decoding them."""

from pathlib import Path

from retrieval.errors import UnreadableImage
from retrieval.photographs.contents import contents_of
from retrieval.photographs.files import in_plain_words, open_regular
from retrieval.photographs.kinds import HEAD, kind_of
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.pictures import Pictures

_PAGED = frozenset(["TIFF", "HEIF", "PDF"])


def may_have_pages(path: Path) -> bool:
    """Say whether a file is of a kind that may hold several pages, by its first bytes."""
    try:
        with open_regular(path) as file:
            return kind_of(file.read(HEAD)) in _PAGED
    except (OSError, ValueError, UnreadableImage):
        return False


def pictures_in(path: Path, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Pictures:
    """Count the pictures of a file: pages and frames, no thumbnails, masks or smaller levels of a pyramid.

    Raises UnreadableImage where the file cannot be opened as a photograph; its pixels may still be damaged.
    """
    try:
        with open_regular(path) as file:
            return contents_of(file, max_megapixels).pictures
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise almost anything on a damaged file
        raise UnreadableImage(in_plain_words(error)) from error
