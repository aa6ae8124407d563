"""Find the local features of exemplars, by which probes are registered to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import with_features, without_features
from retrieval.encoder.encoder import Encoder
from retrieval.encoder.stream import EmbeddedPhotograph, embed_photographs, no_view
from retrieval.photographs.features import Features, features_of

KEEP_EVERY = 64  # photographs between one commit and the next


def described(embedded: Iterable[EmbeddedPhotograph]) -> dict[str, Features]:
    """Return the features of each photograph that has them, by sha256."""
    return {
        item.photograph.sha256: item.features
        for item in embedded
        if item.photograph is not None and item.features is not None
    }


def complete_features(
    catalogue: Catalogue,
    encoder: Encoder,
    exemplars: Mapping[str, Path],
    *,
    folder: Path,
    new: Collection[str],
    max_megapixels: float,
    on_progress: Callable[[int, int], None],
) -> None:
    """Find and keep the features still missing, as in a catalogue of an earlier version; nothing is encoded.

    `exemplars` names a file for each content: those that are catalogued from `folder`, and `new` ones.
    """
    lacking = without_features(catalogue, str(folder)) | (set(new) - with_features(catalogue, new))
    missing = [exemplars[sha256] for sha256 in exemplars if sha256 in lacking] if lacking else []
    stream = embed_photographs(missing, encoder, views=no_view, extract=features_of, max_megapixels=max_megapixels)
    batch: list[EmbeddedPhotograph] = []
    try:
        for done, item in enumerate(stream, 1):
            batch.append(item)
            if len(batch) == KEEP_EVERY:
                catalogue.add_features(described(batch))
                batch = []
            on_progress(done, len(missing))
    finally:
        catalogue.add_features(described(batch))
