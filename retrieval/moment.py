"""Moments: kept as text in UTC, so that they compare as texts, and shown in the time of this machine."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return this moment to the second, in ISO 8601 and UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def in_utc(moment: str) -> str:
    """Return a moment of any zone in UTC; one without a zone is of this machine's, and what is no moment stays."""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return moment


def shown(moment: str) -> str:
    """Return a moment for a person: local time with the zone, as `2026-10-25 02:30 CEST`."""
    local = _local(moment)
    return moment if local is None else f"{local:%Y-%m-%d %H:%M %Z}"


def shown_shortly(moment: str) -> str:
    """Return a moment for a table: local time, with the zone only in the hour that an autumn night has twice."""
    local = _local(moment)
    if local is None or _comes_twice(local):
        return shown(moment)
    return f"{local:%Y-%m-%d %H:%M}"


def day(moment: str) -> str:
    """Return the day of a moment where this machine is."""
    local = _local(moment)
    return moment if local is None else f"{local:%Y-%m-%d}"


def _local(moment: str) -> datetime | None:
    try:
        return datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError):
        return None


def _comes_twice(local: datetime) -> bool:
    """Say whether the clock shows this time twice."""
    first, second = (local.replace(tzinfo=None, fold=fold).astimezone() for fold in (0, 1))
    return first.utcoffset() != second.utcoffset()
