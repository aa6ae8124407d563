"""Show, on one page, where a probe and the genuine exemplar agree and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL import Image

from cli.records.registration_words import not_registered
from retrieval.comparing.divergence import Divergence, NotCompared, Place
from retrieval.comparing.network import comparison_name
from retrieval.comparing.registration import Registration
from retrieval.errors import UnreadableImage
from retrieval.extras import program_version
from retrieval.finding.match import Match
from retrieval.judging.decision import Basis, Decision
from retrieval.outcome import Outcome
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.calibration import Threshold, Thresholds, share, sources

PLACES = 6
WIDE = 2.4  # width over height, from which pictures lie one below the other
VERDICTS: Mapping[str, str] = {
    Outcome.CONSISTENT: "Matches {0}, and the {1} is within the threshold {2}.",
    Outcome.DIVERGENT: "Depicts or imitates {0}, but the {1} is beyond the threshold {2}: a suspected forgery, copy "
    "or alteration.",
    Outcome.NO_MATCH: "Nothing in the catalogue is near enough: an unknown object, which is no sign of a forgery. "
    "{0} is only the nearest.",
    Outcome.INCONCLUSIVE: "The photograph or the calibration is too poor to say whether it is consistent with {0}.",
}
OF_TWO: Mapping[str, str] = {
    Outcome.CONSISTENT: "Both show the same, and the {1} is within the threshold {2}.",
    Outcome.DIVERGENT: "Both show the same work, or one imitates the other, but the {1} is beyond the threshold {2}.",
    Outcome.NO_MATCH: "Nothing shows that the two photographs are of one work.",
    Outcome.INCONCLUSIVE: "The photographs are too poor to say whether this one is consistent with {0}.",
}
NOTHING_COMPARED = "Nothing was compared place by place; the verdict rests on the global distance."
ALONE = "none: one photograph is taken as the exemplar of the other"
BEYOND, WITHIN = "beyond it a photograph diverges", "within it an object of the catalogue is found"


@dataclass(frozen=True, slots=True)
class EvidenceFigure:
    """A number behind the verdict: its name, how the page writes it, and its meaning."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the evidence comes from: the number of its verdict, its lot, and the page that leads to it."""

    verdict: int | None = None
    lot: str = ""
    back: str | None = None  # an address


UNKNOWN = Origin()


@dataclass(frozen=True, slots=True)
class EvidenceAlert:
    """What stands above the outcome: the object is stolen, missing or a known forgery."""

    status: str
    words: str  # with what the register says of the case


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that is known of one probe against one exemplar."""

    match: Match
    decision: Decision
    basis: Basis
    probe: Photograph
    exemplar: Photograph | UnreadableImage  # or why the exemplar cannot be shown
    pair: (
        tuple[Image.Image, Image.Image] | None
    )  # exemplar, and probe laid over the exemplar; None where not registered
    metadata: Mapping[str, str]
    encoder: str
    revision: int
    exemplar_sha256: str = ""
    origin: Origin = UNKNOWN
    alert: EvidenceAlert | None = None

    @property
    def known_exemplar(self) -> Photograph | None:
        """The exemplar; None where the file cannot be shown."""
        return None if isinstance(self.exemplar, UnreadableImage) else self.exemplar

    @property
    def pictures(self) -> tuple[Image.Image | None, Image.Image]:
        """Exemplar and photograph, as they lie on each other where the two are registered, else each as it is."""
        return self.pair or (self.known_exemplar.image if self.known_exemplar else None, self.probe.image)

    @property
    def is_wide(self) -> bool:
        """Whether the exemplar is so wide that pictures lie one below the other."""
        return self.proportions > WIDE

    @property
    def proportions(self) -> float:
        """Width over height of the exemplar as it is shown."""
        shown = self.pictures[0]
        return shown.width / shown.height if shown else 1.0

    @property
    def registration(self) -> Registration | None:
        """How the exemplar lies on the probe, where the two are registered."""
        return self.match.registered

    @property
    def divergence(self) -> Divergence | None:
        """The comparison place by place, where there is one."""
        return self.match.compared

    @property
    def thresholds(self) -> Thresholds | None:
        """What the distances are judged by."""
        return self.basis.thresholds

    @property
    def limit(self) -> float:
        """The local distance from which the photograph diverges; known wherever the two are compared place by place."""
        assert self.divergence is not None
        return self.divergence.limit

    @property
    def combined_limit(self) -> Threshold | None:
        """The threshold of the combined distance, for a photograph in this condition."""
        return self.thresholds.combined_of(self.match.condition) if self.thresholds else None

    @property
    def judged_by(self) -> tuple[str, float, float | None]:
        """Name, value and threshold of the distance that the outcome rests on."""
        if self.divergence is not None:
            combined = self.combined_limit
            return "combined distance", self.divergence.combined_distance, combined.value if combined else None
        return "global distance", self.match.distance, self.thresholds.authenticity.value if self.thresholds else None

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        if self.match.without_exemplar is not None:
            return f"Nothing can be said of {self.match.object_id} while its exemplar is away."
        name, distance, threshold = self.judged_by
        said, of = (OF_TWO, "first") if self.basis.alone else (VERDICTS, "genuine exemplar")
        return said[self.decision.outcome].format(
            self.match.object_id, f"{name} {distance:.3f} to the {of}", _number(threshold)
        )

    @property
    def title(self) -> str:
        """Title and maker of the object."""
        known = (" ".join(self.metadata.get(field, "").split()) for field in ("title", "maker"))
        return ", ".join(text for text in known if text)

    @property
    def heading(self) -> str:
        """The lot, with its title; without a lot the title of the object."""
        return self.origin.lot or self.title

    @property
    def versions(self) -> Mapping[str, str]:
        """What the verdict was made with."""
        calibration = self.basis.calibration
        return {
            "Program": f"artifact {program_version()}",
            "Encoder": self.encoder,
            "Comparison network": comparison_name(closely=bool(self.divergence and self.divergence.closely)),
            "Calibration": "none, provisional thresholds" if calibration is None else str(calibration.number),
            "Catalogue": ALONE if self.basis.alone else f"revision {self.revision}",
        }

    @property
    def worst(self) -> tuple[Place, ...]:
        """The places shown."""
        return self.divergence.places[:PLACES] if self.divergence else ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why something is not shown, compared or judged, each as a sentence or two."""
        said = []
        if isinstance(self.exemplar, UnreadableImage):
            said.append(f"The exemplar cannot be shown: {self.exemplar}.")
        if self.registration is None:
            said.append(f"The two photographs {not_registered(self.match, 'registered')}.{self._rests}")
        elif self.match.without_exemplar is not None:
            said.append(f"Nothing was compared: {self.match.without_exemplar.reason}.")
        elif self.divergence is None:
            compared = self.match.divergence
            reason = compared.reason if isinstance(compared, NotCompared) else "it was not tried"
            said.append(f"The two are registered, but could not be compared: {reason}.{self._rests}")
        return tuple(said)

    @property
    def _rests(self) -> str:
        """What the verdict rests on where nothing was compared place by place."""
        return "" if self.basis.alone else f" {NOTHING_COMPARED}"

    def said_of(self, place: Place) -> str:
        """Return the local distance of a place, and whether it exceeds the threshold."""
        side = "beyond" if place.distance > self.limit else "within"
        where = f"{place.where}, " if place.where else ""
        return f"{where}local distance {place.distance:.3f}, {side} the threshold"

    def figures(self) -> Iterator[EvidenceFigure]:
        """Yield each number, with its name and its meaning."""
        if self.divergence is not None:
            all_places = "of all places together: how far what is seen contradicts the exemplar"
            yield EvidenceFigure("combined distance", f"{self.divergence.combined_distance:.3f}", all_places)
            combined = self.combined_limit
            on = f"false alarms on {{}} {self._genuine(combined, True)}"
            yield _limit("combined threshold", combined, BEYOND, on)
            worst = "of the place that contradicts the exemplar most"
            yield EvidenceFigure("local distance", f"{self.divergence.local_distance:.3f}", worst)
            carrying = "of the places that carry the two beyond the threshold, or would"
            yield EvidenceFigure("local limit", f"{self.limit:.3f}", carrying)
        if self.match.again:
            yield _range_of(self.match)
        whole = "between the photographs as wholes, from 0 (alike) to 2: it finds the object"
        yield EvidenceFigure("global distance", f"{self.match.distance:.3f}", whole)
        if not self.basis.alone:
            yield from self._global_limits()
        yield from _figures_of_comparison(self.divergence) if self.divergence else ()
        yield from _figures_of_registration(self.registration) if self.registration else ()

    def _global_limits(self) -> Iterator[EvidenceFigure]:
        authenticity, match = (self.thresholds.authenticity, self.thresholds.match) if self.thresholds else (None, None)
        on = f"false alarms on {{}} {self._genuine(authenticity, False)}"
        yield _limit("authenticity threshold", authenticity, f"global: {BEYOND}", on)
        yield _limit("match threshold", match, f"global: {WITHIN}", "false matches on {} objects")

    def _genuine(self, threshold: Threshold | None, compared: bool) -> str:
        """Return what the photographs were on which a threshold was set."""
        if self.basis.calibration is not None and threshold is not None and threshold.confidence is not None:
            return f"objects ({sources(self.basis.calibration)})"
        return "genuine pairs" if compared else "simulated re-photographs"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _range_of(match: Match) -> EvidenceFigure:
    """Return how far the distance that decides moves where the photograph is made a little different."""
    least, most = match.range
    again = ", ".join(f"{one.variant} {_number(one.distance)}" for one in match.again)
    meaning = f"of the distance that decides, on the photograph made a little different: {again}"
    return EvidenceFigure("range", f"{least:.3f} to {most:.3f}", meaning)


def _limit(name: str, threshold: Threshold | None, meaning: str, errors: str) -> EvidenceFigure:
    """Return a threshold with the counts behind it."""
    if threshold is None:
        return EvidenceFigure(name, "none", meaning)
    basis = f"{'too few for' if threshold.value is None else 'set for'} {share(threshold.rate)} "
    return EvidenceFigure(name, _number(threshold.value), f"{meaning}; {basis}{errors.format(threshold.count)}")


def _figures_of_comparison(divergence: Divergence) -> Iterator[EvidenceFigure]:
    rest = "of the exemplar; the rest is hidden, at an edge, or not on the photograph"
    left_out = "of the exemplar's detail, under plates, glare and plain things, which were left out"
    yield EvidenceFigure("compared", f"{divergence.compared:.0%}", rest)
    yield EvidenceFigure("hidden", f"{divergence.hidden:.0%}", left_out)
    unseen = "of the width: smaller differences could not be seen, for pixels and sharpness"
    yield EvidenceFigure("detail", f"{divergence.detail:.1%}", unseen)


def _figures_of_registration(registration: Registration) -> Iterator[EvidenceFigure]:
    alike = "look alike, and lie where one view of the same surface puts them"
    here = "of the exemplar is on the photograph"
    there = "of the photograph shows the exemplar; the rest is around it"
    error = "of the exemplar's diagonal: median error of the matched points"
    turned = "whether the photograph shows it mirrored, left to right"
    yield EvidenceFigure("matched points", str(registration.inliers), alike)
    yield EvidenceFigure("overlap of exemplar", f"{registration.overlap_exemplar:.0%}", here)
    yield EvidenceFigure("overlap of photograph", f"{registration.overlap_probe:.0%}", there)
    yield EvidenceFigure("residual", f"{registration.residual:.2%}", error)
    yield EvidenceFigure("mirrored", "yes" if registration.mirrored else "no", turned)
