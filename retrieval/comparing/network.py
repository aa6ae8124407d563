"""Run the comparison network that comes with the program, with OpenVINO on the CPU, repeatably."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from retrieval.comparing.evidence import PLACES_ACROSS, Evidence
from retrieval.encoder.openvino_engine import import_openvino
from retrieval.errors import UnusableEncoder
from retrieval.machine import cpu_count
from retrieval.statistics.calibration import Threshold

FOLDER = Path(__file__).parent / "default_network"
DESCRIPTION = "comparison.json"
MODEL, WEIGHTS = "comparison.xml", "comparison.bin"
SCHEMA = "artifact-comparison/1"
CLOSELY = ", closely"  # after the fingerprint, where a pair is looked at in parts too


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a network before it is loaded."""

    fingerprint: str  # the distances of two networks do not compare
    threshold: Threshold  # of the combined distance, by the pairs of the worst of its sources
    sources: tuple[str, ...]  # of the genuine photographs: the rate holds on each
    files: Mapping[str, str]  # their hashes


class ComparisonNetwork:
    """A loaded network: evidence of a pair -> how far each of its places contradicts the exemplar."""

    def __init__(self, folder: Path) -> None:
        """Load a network from its folder; raises UnusableEncoder."""
        self._own = threading.local()  # each thread asks by a request of its own
        try:
            hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, WEIGHTS)}
        except OSError as error:
            raise UnusableEncoder(f"the comparison network in {folder} cannot be read: {error.strerror}") from error
        if hashes != dict(read_description(folder).files):
            raise UnusableEncoder(f"the comparison network in {folder} was changed: install the program again")
        cores = cpu_count()  # a stream of one thread for each: a distance does not depend on what else is compared
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": cores, "NUM_STREAMS": cores}
        try:
            self._compiled = import_openvino().Core().compile_model(folder / MODEL, "CPU", options)
        except RuntimeError as error:
            raise UnusableEncoder(f"OpenVINO cannot load {folder / MODEL}: {str(error).splitlines()[0]}") from error

    def __call__(self, evidence: Evidence) -> np.ndarray:
        """Return how far each place contradicts the exemplar, logits, float32 (PLACES_ACROSS, PLACES_ACROSS)."""
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        self._own.request.infer([evidence.pictures, evidence.states[None], evidence.inside[None].astype(np.float32)])
        found = np.array(self._own.request.get_output_tensor(0).data, np.float32)
        return found.reshape(PLACES_ACROSS, PLACES_ACROSS)


@cache
def default_network() -> ComparisonNetwork:
    """Return the network that comes with the program, loaded once; raises UnusableEncoder where it is damaged."""
    return ComparisonNetwork(FOLDER)


@cache
def default_description() -> Description:
    """Return what is known of the network that comes with the program."""
    return read_description(FOLDER)


def read_description(folder: Path) -> Description:
    """Return what is known of a network; raises UnusableEncoder."""
    try:
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if described["schema"] != SCHEMA:
            raise ValueError(f"it is of {described['schema']}, not of {SCHEMA}")
        files, threshold = described["files"], Threshold(**described["threshold"])
        return Description(files[WEIGHTS][:16], threshold, tuple(described.get("sources", ())), files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableEncoder(f"the comparison network in {folder} cannot be read: {error}") from error


def comparison_name(*, closely: bool) -> str:
    """Return what combined distances are measured by: those of another network, or of another look, do not compare."""
    return default_description().fingerprint + (CLOSELY if closely else "")


def is_closely(name: str | None) -> bool:
    """Say whether what distances are measured by, as it is kept, looks at a pair in parts too."""
    return name is not None and name.endswith(CLOSELY)


def measured_by(encoder: str, *, closely: bool) -> str:
    """Return what distances are measured by, for an encoder's fingerprint: those of others do not compare."""
    return f"{encoder} and comparison {comparison_name(closely=closely)}"
