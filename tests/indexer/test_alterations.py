"""Simulated altered copies are repeatable, as large as asked, and changed only where they say."""

import cv2
import numpy as np
import pytest
from PIL import Image

from indexer.simulation.alterations import KINDS, VISIBLE, alter, difference
from indexer.simulation.spots import EDGE
from tests.bench.faces import FACES

FACE = (0.3, 0.2, 0.3, 0.4)


def painted(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Return a picture of coloured patches and grain."""
    random = np.random.default_rng(seed)
    patches = cv2.resize(
        random.uniform(20, 235, (12, 16, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST
    )
    return Image.fromarray(np.clip(patches + random.normal(0, 5, patches.shape), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_gives_the_same_alteration_and_another_seed_another(kind: str) -> None:
    once, again, other = (alter(painted(1), kind, area=0.05, donor=painted(2), seed=s, face=FACE) for s in (3, 3, 4))
    assert once and again and other
    assert once.image.tobytes() == again.image.tobytes() and (once.mask == again.mask).all()
    assert once.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("area", [0.01, 0.02, 0.05, 0.10])
def test_about_the_asked_area_and_nothing_else_is_changed_visibly(kind: str, area: float) -> None:
    picture = painted(1)
    made = alter(picture, kind, area=area, donor=painted(2, 200, 300), seed=5, face=FACE)
    assert made and made.kind == kind and made.image.size == picture.size and made.mask.shape == (240, 320)
    asked = area if kind != "face" else np.pi / 4 * FACE[2] * FACE[3]
    assert made.area == made.mask.mean() == pytest.approx(asked, rel=0.12)
    before, after = np.asarray(picture), np.asarray(made.image)
    assert difference(before, after, made.mask) >= VISIBLE
    edge = 2 * int(4 * EDGE) + 1
    beyond = cv2.dilate(made.mask.astype(np.uint8), np.ones((edge, edge))) == 0
    assert (before[beyond] == after[beyond]).all()
    assert made.mask[12:-12, 16:-16].sum() == pytest.approx(made.mask.sum(), abs=8)  # the border is left alone


@pytest.mark.parametrize("kind", ["removed", "moved", "repainted", "face"])
def test_an_empty_picture_has_nothing_to_alter(kind: str) -> None:
    assert alter(Image.new("RGB", (320, 240), (120, 110, 90)), kind, area=0.05, donor=painted(2), seed=1) is None


def test_a_narrow_picture_is_altered_or_left() -> None:
    picture = painted(1, 640, 60)
    made = [alter(picture, kind, area=0.1, donor=painted(2), seed=1, face=FACE) for kind in KINDS]
    assert all(one is None or one.image.size == picture.size for one in made)


def test_known_faces_lie_in_their_pictures() -> None:
    assert all(x >= 0 and y >= 0 and x + width <= 1 and y + height <= 1 for x, y, width, height in FACES.values())
