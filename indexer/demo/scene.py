"""A canvas to put shapes on, and outlines to give them."""

from dataclasses import dataclass, field

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """One area of paint; coordinates are shares of the picture's height, from the upper left."""

    part: str  # the element it belongs to, which can be moved as a whole; "ground" stays where it is
    points: np.ndarray  # (n, 2)
    colour: Colour
    shade: Colour  # what the colour turns into along the light
    flow: float | None  # direction of the strokes in radians; None: round the middle
    light: float  # direction in which colour turns into shade
    grain: float  # size of the strokes


@dataclass(slots=True)
class Scene:
    """A composition in the making."""

    aspect: float
    random: np.random.Generator
    palette: list[Colour]
    shapes: list[Shape] = field(default_factory=list)

    def add(
        self,
        part: str,
        points: np.ndarray,
        colour: int | Colour,
        shade: int | Colour | None = None,
        *,
        flow: float | None = 0.0,
        light: float = 0.6,
        grain: float = 1.0,
    ) -> None:
        """Put a shape in front; colours are places in the palette, the shade is darker if not given."""
        first = self._colour(colour)
        second = mix(first, (0, 0, 0), 0.3) if shade is None else self._colour(shade)
        self.shapes.append(Shape(part, points, first, second, flow, light, grain))

    def back(self, colour: int, shade: int, *, flow: float | None = 0.0) -> None:
        """Cover the whole picture."""
        self.add("ground", self.below(-0.02), colour, shade, flow=flow, light=np.pi / 2, grain=1.5)

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return float(self.random.uniform(low, high))

    def below(self, y: float) -> np.ndarray:
        """Return everything below a level line across the picture."""
        return box(-0.02, y, self.aspect + 0.02, 1.02)

    def ridge(self, y: float, height: float, *, peaks: float = 2.0, sharp: bool = False) -> np.ndarray:
        """Return everything below a line of hills, or of sharp peaks, across the picture."""
        x = np.linspace(-0.05, self.aspect + 0.05, 60)
        phase = x * peaks / self.aspect + self.between(0, 1)
        wave = 2 * np.abs(phase % 1 - 0.5) if sharp else 0.5 + 0.5 * np.sin(2 * np.pi * phase)
        top = y - height * (0.75 * wave + 0.25 * np.sin(9 * x + self.between(0, 6)))
        return np.concatenate([np.stack([x, top], 1), [[self.aspect + 0.05, 1.05], [-0.05, 1.05]]])

    def blob(self, x: float, y: float, rx: float, ry: float, rough: float = 0.05) -> np.ndarray:
        """Return a rounded outline."""
        t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        waves = sum(np.sin(k * t + self.between(0, 6.3)) * self.between(0, rough) for k in (2, 3, 5))
        return np.stack([x + rx * (1 + waves) * np.cos(t), y + ry * (1 + waves) * np.sin(t)], 1)

    def _colour(self, colour: int | Colour) -> Colour:
        return self.palette[colour] if isinstance(colour, int) else colour


def box(left: float, top: float, right: float, bottom: float, *, lean: float = 0.0) -> np.ndarray:
    """Return a box whose upper side is shifted sideways by the lean."""
    return np.array([[left + lean, top], [right + lean, top], [right, bottom], [left, bottom]])


def path(*numbers: float) -> np.ndarray:
    """Return the outline through the places x, y, x, y, ..."""
    return np.array(numbers, float).reshape(-1, 2)


def band(points: np.ndarray, width: float) -> np.ndarray:
    """Return the outline of a thick line."""
    along = np.gradient(points, axis=0)
    side = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
    return np.concatenate([points + side * width / 2, (points - side * width / 2)[::-1]])


def moved(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return the points shifted from the origin to a place."""
    return points + np.array([x, y])


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Return the points turned around the origin."""
    c, n = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, n], [-n, c]])


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour between two, at the share of the other."""
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def colours(palette: str) -> list[Colour]:
    """Read a palette of hexadecimal colours."""
    return [(int(c[:2], 16) / 255, int(c[2:4], 16) / 255, int(c[4:], 16) / 255) for c in palette.split()]
