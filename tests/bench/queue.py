"""How long the queue takes with 100,000 verdicts: the table's first making, pages, and a decision.

    python -m tests.bench.queue [COUNT] [--json FILE]

Each time is compared with that of a bare SELECT of 50 verdicts in the same run, since machines differ.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from retrieval.verdicts.deciding import Proposal, decide
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.queue import Filter, Order, Place, count_waiting, neighbours, read_page
from retrieval.verdicts.reviews import accepting
from retrieval.verdicts.waiting import open_verdicts
from retrieval.verdicts.withdrawals import withdraw

SIZE = 50  # verdicts of a page
TIMES = 15  # each is measured
OUTCOMES = ("divergent", "divergent", "inconclusive", "unreadable", "consistent", "no-match")
WORDS = ("harbour", "portrait", "still life", "glare", "varnish", "signed", "engraving", "tulips", "Müller", "night")


def fill(log: VerdictLog, count: int) -> None:
    """Log so many verdicts, as screenings of many sales would; a tenth of them judged together in lots of three."""
    rng = random.Random(1)
    rows = (_row(rng, number) for number in range(1, count + 1))
    with log.db.conn:
        log.db["verdicts"].insert_all(rows, batch_size=5_000)


def _row(rng: random.Random, number: int) -> dict[str, object]:
    sale, outcome = number // 400, rng.choice(OUTCOMES)
    whole = number % 30 == 0
    lot = {
        "lot": str(number // 3),
        "sale": f"Sale {sale}",
        "house": f"House {sale % 40}",
        "title": " ".join(rng.sample(WORDS, 3)),
    }
    return {
        "date": f"20{10 + number % 16}-01-{1 + number % 28:02}T12:00:00+00:00",
        "photo": f"/sales/{sale}/lot-{number}.jpg",
        "sha256": f"{'t' if whole else 's'}{number}",
        "encoder": "e",
        "revision": 1,
        "region": None if whole else "[0, 0, 90, 90]",
        "outcome": outcome,
        "object_id": f"O-{rng.randrange(20_000)}",
        "combined": rng.random(),
        "threshold": 0.5,
        "reasons": json.dumps([f"a {rng.choice(WORDS)} hides a part"]),
        "lot": json.dumps(lot),
        "alert": "stolen" if rng.random() < 0.01 else None,
        "together": json.dumps([number - 3, number - 2, number - 1]) if whole else None,
    }


def timed(what: Callable[[int], object], times: int = TIMES) -> float:
    """Return the median of the seconds that something takes."""
    taken = []
    for turn in range(times):
        begun = time.perf_counter()
        what(turn)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def measure(data: Path, count: int) -> dict[str, float]:
    """Return the seconds of each step."""
    with VerdictLog.opened(data) as log:
        fill(log, count)
        bare = timed(lambda turn: log.db.execute("SELECT * FROM verdicts ORDER BY number DESC LIMIT 50").fetchall())
        found = {
            "bare SELECT of 50 verdicts": bare,
            "first making of the table": timed(lambda _: open_verdicts(log), 1),
        }
        numbers = open_verdicts(log)
        print(f"{count:,} verdicts, {len(numbers):,} wait")
        first = read_page(log, Filter(), Order.URGENT, size=SIZE)
        middle = Place(6, -0.1, -(count // 2))
        one = {"size": SIZE}
        pages: dict[str, Callable[[int], object]] = {
            "first page": lambda _: read_page(log, Filter(), Order.URGENT, **one),
            "page in the middle": lambda _: read_page(log, Filter(), Order.URGENT, after=middle, **one),
            "page of one outcome": lambda _: read_page(log, Filter(outcome="divergent"), Order.URGENT, **one),
            "page of one sale": lambda _: read_page(log, Filter(sale="Sale 7"), Order.URGENT, **one),
            "page of a distance range": lambda _: read_page(log, Filter(least=0.6, most=0.7), Order.LATEST, **one),
            "page of a rare word": lambda _: read_page(log, Filter(text="lot-7777"), Order.URGENT, **one),
            "page of a frequent word": lambda _: read_page(log, Filter(text="harbour"), Order.URGENT, **one),
            "counts beside the filters": lambda _: count_waiting(log),
            "neighbours of a verdict": lambda turn: neighbours(log, Filter(), Order.URGENT, numbers[turn]),
            "all numbers, as `artifact review`": lambda _: open_verdicts(log),
        }
        found |= {name: timed(page) for name, page in pages.items()}
        found["decision, and the page after it"] = timed(lambda turn: _decide(log, [numbers[turn]]))
        many = [list(first.numbers)]
        found["50 decisions at once, and the page after them"] = timed(lambda turn: _decide(log, many[turn]), 1)
        found["undo, and the page after it"] = timed(lambda turn: _undo(log, turn + 1))
    return found


def _decide(log: VerdictLog, numbers: list[int]) -> None:
    last = log.db.execute("SELECT coalesce(max(number), 0) FROM reviews").fetchone()[0]
    entries = [log.entry(number) for number in numbers]
    decide(log, [Proposal(entry, accepting(entry, name="Anna", reason=""), last) for entry in entries])
    read_page(log, Filter(), Order.URGENT, size=SIZE)


def _undo(log: VerdictLog, review: int) -> None:
    withdraw(log, [review], name="Anna")
    read_page(log, Filter(), Order.URGENT, size=SIZE)


def main() -> None:
    """Print the table, and write it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), given.count)
    bare = found["bare SELECT of 50 verdicts"]
    for name, seconds in found.items():
        print(f"{name:<48} {1000 * seconds:>9.1f} ms {seconds / bare:>9.0f} x")
    if given.json:
        given.json.write_text(json.dumps({"count": given.count, "seconds": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
