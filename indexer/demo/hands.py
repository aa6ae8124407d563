"""How somebody paints: their strokes, their ground, and what betrays an imitator."""

from dataclasses import dataclass, replace

import numpy as np

from indexer.demo.scene import Colour


@dataclass(frozen=True, slots=True)
class Hand:
    """How somebody paints; lengths are shares of the picture's height."""

    seed: int
    material: str
    length: float = 0.05
    width: float = 0.012
    coverage: float = 1.6  # how often strokes cover every place
    turn: float = 0.2  # radians by which a stroke leaves the direction of its shape
    bend: float = 0.15  # curvature of a stroke
    value: float = 0.06  # jitter of lightness
    hue: float = 0.03  # jitter of each colour channel
    bristles: int = 1  # lighter and darker streaks in a stroke
    profile: str = "taper"
    lean: float | None = None  # one direction for every stroke, whatever the shape; None follows the shape
    outline: float = 0.0  # width of a dark contour
    relief: float = 0.6  # how strongly thick paint catches the light
    weave: float = 0.03  # how much the canvas shows
    bare: float = 0.0  # share of the strokes left out: the ground shows
    ground: Colour = (0.8, 0.7, 0.55)


SCHOOLS = (
    Hand(0, "oil on canvas"),
    Hand(0, "oil on canvas, in dots", length=0.019, width=0.017, coverage=2.0, turn=3.0, hue=0.06, value=0.07,
         bristles=0, profile="round", relief=0.3, ground=(0.93, 0.9, 0.83)),
    Hand(0, "oil on board, palette knife", length=0.085, width=0.03, coverage=2.0, turn=0.35, value=0.09, bristles=2,
         profile="square", relief=1.0, weave=0.0),
    Hand(0, "pastel on paper", length=0.075, width=0.0045, coverage=1.5, turn=0.08, bend=0.03, value=0.12, bristles=0,
         lean=0.85, relief=0.0, weave=0.02, ground=(0.95, 0.92, 0.85)),
    Hand(0, "oil on canvas, swirling brush", length=0.045, width=0.008, turn=0.1, bend=0.5, value=0.1, hue=0.05,
         relief=0.9),
    Hand(0, "gouache with contours", length=0.16, width=0.04, coverage=2.2, turn=0.12, value=0.025, hue=0.012,
         bristles=0, profile="round", outline=0.006, relief=0.0, weave=0.02),
    Hand(0, "mosaic of small tiles", length=0.03, width=0.026, coverage=1.3, turn=0.05, bend=0.0, value=0.08,
         bristles=0, profile="square", relief=0.5, weave=0.0, ground=(0.35, 0.32, 0.3)),
    Hand(0, "dry brush on white ground", length=0.09, width=0.014, coverage=1.5, turn=0.25, bend=0.25, value=0.05,
         bristles=2, relief=0.2, weave=0.08, bare=0.12, ground=(0.96, 0.94, 0.88)),
)  # fmt: skip


def hand_of(seed: int, *, school: int) -> Hand:
    """Return a painter of a school, with habits of their own."""
    random = np.random.default_rng([seed, 11])
    base = SCHOOLS[school]
    length, width, value, turn = random.uniform(0.8, 1.25, 4)
    return replace(
        base,
        seed=seed,
        length=base.length * length,
        width=base.width * width,
        value=base.value * value,
        turn=base.turn * turn,
        ground=_jitter(base.ground, 0.08, random),
    )


def another_hand(hand: Hand, *, seed: int) -> Hand:
    """Return somebody who imitates the hand, and betrays themself in the strokes."""
    random = np.random.default_rng([seed, 12])
    coarser = 1 if random.random() < 0.5 else -1
    longer, wider = np.exp(coarser * random.uniform(0.3, 0.42, 2))
    return replace(
        hand,
        seed=seed,
        length=hand.length * longer,
        width=hand.width * wider,
        turn=hand.turn + random.uniform(0.15, 0.3),
        bend=hand.bend + 0.1,
        value=hand.value + random.uniform(0.02, 0.04),
        hue=hand.hue + random.uniform(0.02, 0.04),
        bristles=1 if hand.bristles != 1 else 2,
        outline=hand.outline * wider,
        relief=hand.relief * 0.6 + 0.2,
        ground=_jitter(hand.ground, 0.15, random),
    )


def _jitter(colour: Colour, amount: float, random: np.random.Generator) -> Colour:
    red, green, blue = np.clip(np.array(colour) + random.uniform(-amount, amount, 3) * [1, 0.8, 0.8], 0, 1).tolist()
    return red, green, blue
