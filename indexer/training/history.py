"""Keep a record of each epoch of a training: a file of lines, a log for TensorBoard, a line for the terminal."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from retrieval.errors import ArtifactError

HEADER = "epoch phase          loss active    rate spread recall@1    EER    AUC    time"
VALIDATED = ("recall_at_1", "eer", "auc")  # the figures of an epoch that were taken on the validation objects


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch of a training; a figure that could not be measured is NaN."""

    phase: str  # what was trained, and how
    epoch: int  # from 1 on, through all phases
    loss: float  # mean over the epoch
    active: float  # share of the triplets, or pairs, that still add to the loss, 0 to 1
    rate: float  # learning rate at the end of the epoch
    spread: float  # mean distance between the embeddings of different photographs, [0, 2]
    recall_at_1: float  # this and the next two on the validation objects, 0 to 1
    eer: float
    auc: float
    seconds: float  # of the epoch, validation included
    views: int  # pictures that went through the network to be learned from
    best: bool  # whether this epoch is the one to keep so far: the best by validation, or simply the last


def best_epoch(records: Sequence[EpochRecord]) -> EpochRecord | None:
    """Return the record whose weights are kept: the last that was the best when it was written."""
    return next((record for record in reversed(records) if record.best), None)


def total(records: Sequence[EpochRecord]) -> str:
    """Return in words how much was trained."""
    views, seconds = sum(record.views for record in records), sum(record.seconds for record in records)
    return f"{len(records)} epoch{'' if len(records) == 1 else 's'}, {views:,} views, {duration(seconds)}"


def append(path: Path, record: EpochRecord) -> None:
    """Add a record to a JSON-lines file, and see it to the disk; a line that a kill had cut short goes first."""
    values = {name: None if _is_nan(value) else value for name, value in asdict(record).items()}
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(values, allow_nan=False).encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def read(path: Path) -> list[EpochRecord]:
    """Return the records of a file, none where there is no file; a last line that a kill cut short is dropped.

    Raises ArtifactError where another line is no record.
    """
    if not path.exists():
        return []
    *lines, _ = path.read_bytes().split(b"\n")
    return [_parsed(line, f"{path} line {number}") for number, line in enumerate(lines, 1)]


def _parsed(line: bytes, where: str) -> EpochRecord:
    try:
        values = json.loads(line)
        return EpochRecord(**{field.name: _value(values[field.name], str(field.type)) for field in fields(EpochRecord)})
    except (ValueError, KeyError, TypeError) as error:
        advice = "it was changed or written by another version; move the file away, or train into another folder"
        raise ArtifactError(f"{where} is no record of an epoch: {advice}") from error


def _value(value: Any, kind: str) -> Any:
    """Return a value of the kind that its field has; raises TypeError where it is of another."""
    if kind == "float":
        return math.nan if value is None else float(value)
    if type(value).__name__ != kind:
        raise TypeError(f"expected {kind}, found {value!r}")
    return value


def truncate(path: Path, epochs: int) -> None:
    """Drop the records after that many epochs, which a resumed training will write again."""
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line, record in zip(lines, read(path), strict=False) if record.epoch <= epochs]
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(b"".join(kept))
    os.replace(temporary, path)


def line(record: EpochRecord) -> str:
    """Return an epoch as one line under HEADER, of 80 columns at most; the best so far has a star."""
    phase = record.phase if len(record.phase) <= 11 else f"{record.phase[:10]}…"
    loss, figures = (
        f"{record.loss:.4f}"[:7],
        f"{record.recall_at_1:8.3f} {_percent(record.eer, 1):>6} {record.auc:6.3f}",
    )
    return (
        f"{record.epoch:5} {phase:11} {loss:>7} {_percent(record.active):>6} {record.rate:7.1e} "
        f"{record.spread:6.3f} {figures} {duration(record.seconds):>7} {'*' if record.best else ''}"
    ).rstrip()


def _percent(share: float, digits: int = 0) -> str:
    return "nan" if math.isnan(share) else f"{share:.{digits}%}"


def duration(seconds: float) -> str:
    """Return a time as minutes and seconds, or with hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def tensorboard_writer(folder: Path, *, after: int = 0) -> Any | None:
    """Return a writer of logs that TensorBoard reads, None where it is not installed.

    What older logs in the folder say of epochs after `after` is hidden, for a resumed training writes it again.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=after + 1)


def log(writer: Any | None, record: EpochRecord) -> None:
    """Write a record to the log of TensorBoard, at once; without a writer, nothing."""
    if writer is None:
        return
    for name in ("loss", "active", "rate", "spread", "recall_at_1", "eer", "auc"):
        if not math.isnan(value := getattr(record, name)):
            group = "validation" if name in VALIDATED else "training"
            writer.add_scalar(f"{group}/{name}", value, record.epoch)
    writer.flush()
