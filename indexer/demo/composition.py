"""Decide what a synthetic picture shows: its genre, format, palette, and where everything stands."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from indexer.demo.country import balloons, birches, desert, hills, mountains, windmill
from indexer.demo.indoors import cat, portrait, still_life, window
from indexer.demo.patterns import bird, blocks, circles, lilies, sunflower
from indexer.demo.scene import Colour, Scene, Shape, colours
from indexer.demo.town import beach, harbour, lighthouse, night, street


@dataclass(frozen=True, slots=True)
class Composition:
    """What is drawn, back to front, without any word on how it is painted."""

    title: str
    size: tuple[int, int]
    shapes: tuple[Shape, ...]

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.size[0] / self.size[1]


@dataclass(frozen=True, slots=True)
class Genre:
    """What can be shown, in which formats, and two titles for it."""

    draw: Callable[[Scene], None]
    sizes: tuple[tuple[int, int], ...]
    titles: tuple[str, str]


PALETTES = (  # sky, low sky, far, middle, near, accent, second accent, dark, light
    "4a90c4 cfe3e8 8fb1b8 8aa850 4f7d3a e2553d f2c14e 24352f fbf4e1",
    "3b3a6b f2a071 7b5e8a 5a4675 2f2a4a f06c5b ffd08a 1c1830 ffeccf",
    "9fb8ad f4e3b5 b98b5a c8682c 7d3f1e b3261e e9b13c 33200f fdf3dd",
    "9db4c8 e9eef2 b7c7d6 8fa6b5 c4d3dd b23a3a 5d7f99 2b3a48 ffffff",
    "18a5a7 b7ecdf 2b8f7b 3fae5a 14694f ff6f59 ffd23f 0b3d3a fff8e3",
    "f0b9c4 fbe9e4 d998a8 b86b84 7d3e5c d7263d f2b880 40203a fff6f2",
    "d8c3a0 efe2c8 b49468 8c6a43 5b4228 a63d2f d99a3a 2a1d12 f7efdf",
    "a8c3bc f1ead6 9aa58a c29b5a 5f6b4a b5432c e3b04b 2b2a22 fbf5e6",
    "ff8c42 ffd166 ef476f 06a77d 1b4965 d00000 f9e900 22223b fff1e6",
    "b8a1d9 e8dcf5 8d7bb8 6a8f5f 3e5f4a f4a300 f25f8b 2a1f47 fdf9ff",
    "e9d8a6 fff3cf 94d2bd 0a9396 005f73 ae2012 ee9b00 001219 fffaf0",
    "2f4858 86bbd8 33658a 4d7c8a 1b3a4b f26419 f6ae2d 0d1b24 e8f1f5",
)
SIZES = ((800, 600), (600, 800), (720, 720), (900, 560), (560, 860), (840, 640), (640, 780), (760, 700))
WIDE = tuple(size for size in SIZES if size[0] >= size[1])
TALL = tuple(size for size in SIZES if size[0] <= size[1])
GENRES = (
    Genre(hills, WIDE, ("Hills at Seed Valley", "Four Trees before Noon")),
    Genre(still_life, SIZES, ("Flowers and Fruit for Nobody", "The Unattended Table")),
    Genre(portrait, TALL, ("Portrait of Nobody in Particular", "The Painter's Function")),
    Genre(harbour, WIDE, ("Harbour of Port Random", "Four Boats, no Wind")),
    Genre(blocks, SIZES, ("Arrangement in Blocks", "Streets of a Flat Town")),
    Genre(sunflower, TALL, ("Great Sunflowers, Computed", "Summer from a Formula")),
    Genre(night, SIZES, ("Moon over a Town that Is Not There", "Night Shift of the Moon")),
    Genre(mountains, WIDE, ("Lake under Procedural Mountains", "Cold Water, Warm Processor")),
    Genre(street, WIDE, ("Row of Houses, Loop Street", "Sunday in Modulo")),
    Genre(beach, WIDE, ("Seven Umbrellas, no Bathers", "Sand, Sorted")),
    Genre(cat, TALL, ("Cat of Low Entropy", "The Cat Who Sat on a Seed")),
    Genre(birches, TALL, ("Birches without a Forest", "Eleven Trunks")),
    Genre(circles, SIZES, ("Rings for a Random Number", "Targets at Rest")),
    Genre(balloons, SIZES, ("Balloons Rising from a Seed", "Lighter than Noise")),
    Genre(lighthouse, TALL, ("Lighthouse for Lost Packets", "Beam over Rough Water")),
    Genre(window, WIDE, ("Empty Room with a Window", "A Chair Waiting")),
    Genre(lilies, SIZES, ("Pond of Repeating Lilies", "Still Water, Thirteen Leaves")),
    Genre(windmill, WIDE, ("Windmill at Constant Speed", "Tulips in Rows and Columns")),
    Genre(bird, WIDE, ("Bird of an Unlisted Species", "Small Song, Large Branch")),
    Genre(desert, WIDE, ("Desert of Two Triangles", "Three Cacti at Sunset")),
)


def compose(seed: int) -> Composition:
    """Return the composition of a seed; twenty seeds in a row show twenty genres."""
    random = np.random.default_rng([seed, 1])
    round_, place = divmod(seed, len(GENRES))
    genre = GENRES[place]
    size = genre.sizes[int(random.integers(len(genre.sizes)))]
    palette = PALETTES[(seed * 5 + round_ * 3) % len(PALETTES)]
    scene = Scene(size[0] / size[1], random, colours(palette))
    genre.draw(scene)
    title = genre.titles[round_ % 2] + (f" (no. {round_ // 2 + 1})" if round_ > 1 else "")
    return Composition(title, size, tuple(scene.shapes))


def alter(composition: Composition, *, seed: int) -> Composition:
    """Return the composition as a careless copyist has it: one element moved, one left out, other colours."""
    random = np.random.default_rng([seed, 2])
    small = _small_parts(composition)
    random.shuffle(small)
    moved, missing = [*small, "", ""][:2]
    angle, far = random.uniform(0, 2 * np.pi), random.uniform(0.03, 0.06)
    step = np.array([np.cos(angle), np.sin(angle)]) * far
    gains = random.uniform(0.92, 1.07, 3)
    shapes = []
    for shape in composition.shapes:
        if shape.part != missing:
            points = shape.points + step if shape.part == moved else shape.points
            colour, shade = _tint(shape.colour, gains), _tint(shape.shade, gains)
            shapes.append(replace(shape, points=points, colour=colour, shade=shade))
    return replace(composition, shapes=tuple(shapes))


def _small_parts(composition: Composition) -> list[str]:
    """Return the elements that take less than a twelfth of the picture, in order of their names."""
    parts = sorted({s.part for s in composition.shapes} - {"ground"})
    extents = [np.concatenate([s.points for s in composition.shapes if s.part == part]) for part in parts]
    return [p for p, e in zip(parts, extents, strict=True) if np.prod(np.ptp(e, axis=0)) < composition.aspect / 12]


def _tint(colour: Colour, gains: np.ndarray) -> Colour:
    red, green, blue = np.clip(np.array(colour) * gains, 0, 1).tolist()
    return red, green, blue
