"""Watch whether distances still come as those of a calibration did: a conformal test martingale."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence

LEVEL = 100.0  # times the stake; what is exchangeable reaches it with a chance of 1/100 at most, ever (Ville 1939)
POWERS = (1.0, 0.5, 0.25)  # of the bets; 1: none
JUMPS = 0.01  # share of the capital that is dealt out to all bets anew each time


def conformal_p_values(calibrated: Sequence[float], later: Iterable[float]) -> Iterator[float]:
    """Yield how often a distance as large as each later one came before: of the calibration and of the earlier ones.

    Where all are exchangeable, these are independent, and none is smaller than a uniform one (Vovk, Gammerman and
    Shafer 2005, 2.4 and 8.1).
    """
    bag = sorted(calibrated)
    for distance in later:
        beyond = len(bag) - bisect_left(bag, distance)
        yield (1 + beyond) / (len(bag) + 1)
        insort(bag, distance)


def evidence(p_values: Iterable[float]) -> float:
    """Return the most that bets against uniform p-values ever made of a stake of 1: high where small ones pile up.

    The simple jumper (Vovk et al., Retrain or not retrain, COPA 2021), its bets e * p ** (e - 1): each pays 1 on the
    average at most, so that the whole is a supermartingale.
    """
    capital = [1.0 / len(POWERS)] * len(POWERS)
    most = 1.0
    for p_value in p_values:
        dealt = JUMPS * sum(capital) / len(POWERS)
        capital = [
            ((1.0 - JUMPS) * part + dealt) * power * p_value ** (power - 1.0)
            for part, power in zip(capital, POWERS, strict=True)
        ]
        most = max(most, sum(capital))
    return most
