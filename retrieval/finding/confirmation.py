"""Confirm objects by registration, and put the confirmed ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from retrieval.catalogue.rows import Photo
from retrieval.comparing.registration import NotRegistered, find_registration
from retrieval.finding.match import Match
from retrieval.photographs.features import Features

EXEMPLARS = 4  # of an object, that are tried
NO_FEATURES = NotRegistered("the catalogue has no features of the exemplar; run `artifact index` again")

FeaturesOf = Callable[[Iterable[str]], Mapping[str, Features]]


def confirm(
    matches: Sequence[Match],
    probe: Features,
    exemplars: Mapping[str, Sequence[Photo]],
    features_of: FeaturesOf,
    *,
    mirrored: bool = True,
) -> list[Match]:
    """Register a probe to objects, and return them, the confirmed ones first, best first.

    The other matches keep their order. `exemplars` holds the photographs of each object, `features_of` returns the
    features there are, by sha256. With `mirrored`, the mirrored probe is tried too.
    """
    tried = [confirm_one(match, probe, exemplars[match.object_id], features_of, mirrored=mirrored) for match in matches]
    return sorted(tried, key=agreeing, reverse=True)  # equals stay as they are


def confirm_one(
    match: Match, probe: Features, photos: Sequence[Photo], features_of: FeaturesOf, *, mirrored: bool = True
) -> Match:
    """Return the match with the best registration to an exemplar of the object, the nearest tried first."""
    order = sorted(photos, key=lambda photo: photo.file != match.exemplar)[:EXEMPLARS]
    features = features_of({photo.sha256: None for photo in order})
    best = replace(match, registration=NO_FEATURES)
    for photo in order:
        if photo.sha256 in features:
            registration = find_registration(features[photo.sha256], probe, mirrored=mirrored)
            found = replace(match, exemplar=photo.file, registration=registration)
            if best.registration is NO_FEATURES or agreeing(found) > agreeing(best):
                best = found
    return best if best.registered else replace(best, exemplar=match.exemplar)


def agreeing(match: Match) -> int:
    """Return how many points agree with a match: 0 where it is not confirmed."""
    return match.registered.inliers if match.registered else 0
