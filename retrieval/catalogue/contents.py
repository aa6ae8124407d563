"""Look up which contents are encoded and described, and forget those that no exemplar has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Content
from retrieval.photographs.features import VERSION


@dataclass(frozen=True, slots=True)
class EncodedContents:
    """The contents that have a whole vector of an encoder, looked up when they are asked for."""

    database: Database
    fingerprint: str
    dim: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> EncodedContents:
        """Return those of the encoder of a catalogue; a new catalogue has none."""
        encoder = catalogue.encoder
        return cls(catalogue.db, encoder.fingerprint if encoder else "", encoder.dim if encoder else 0)

    def sizes(self, sizes: Iterable[int]) -> set[int]:
        """Return those of some numbers of bytes that a content has, also where its vector is damaged."""
        sql = """SELECT value FROM json_each(?)
                 WHERE EXISTS (SELECT 1 FROM vectors WHERE bytes = value AND fingerprint = ?)"""
        return {size for (size,) in self.database.execute(sql, [json.dumps(list(set(sizes))), self.fingerprint])}

    def among(self, sha256s: Iterable[str]) -> dict[str, Content]:
        """Return those of some contents that are encoded, by sha256."""
        sql = """SELECT sha256, bytes, width, height FROM vectors
                 WHERE sha256 IN ({marks}) AND fingerprint = ? AND length(vector) = ?"""
        rows = rows_among(self.database, sql, sha256s, self.fingerprint, 4 * self.dim)
        return {row[0]: Content(*row) for row in rows}

    def not_as_in(self, folder: str) -> set[str]:
        """Return the paths of the exemplars of a folder whose content is not encoded, or not as their row says."""
        sql = """SELECT p.path FROM photos p WHERE p.folder = ? AND NOT EXISTS (
                     SELECT 1 FROM vectors v WHERE v.sha256 = p.sha256 AND v.fingerprint = ? AND length(v.vector) = ?
                     AND v.bytes = p.bytes AND v.width = p.width AND v.height = p.height)"""
        return {path for (path,) in self.database.execute(sql, [folder, self.fingerprint, 4 * self.dim])}


def without_features(catalogue: Catalogue, folder: str) -> set[str]:
    """Return the contents of the exemplars of a folder that have no features of this version, by sha256."""
    sql = """SELECT sha256 FROM photos p WHERE folder = ? AND NOT EXISTS (
                 SELECT 1 FROM features f WHERE f.sha256 = p.sha256 AND f.version = ?)"""
    return {sha256 for (sha256,) in catalogue.db.execute(sql, [folder, VERSION])}


def with_features(catalogue: Catalogue, sha256s: Iterable[str]) -> set[str]:
    """Return those of some contents that have features of this version."""
    sql = "SELECT sha256 FROM features WHERE sha256 IN ({marks}) AND version = ?"
    return {sha256 for (sha256,) in rows_among(catalogue.db, sql, sha256s, VERSION)}


def measured_among(catalogue: Catalogue, sha256s: Iterable[str], fingerprint: str, simulation: int) -> set[str]:
    """Return those of some contents of which the distance to a simulated re-photograph is kept."""
    sql = "SELECT sha256 FROM rephotographs WHERE sha256 IN ({marks}) AND fingerprint = ? AND simulation = ?"
    return {sha256 for (sha256,) in rows_among(catalogue.db, sql, sha256s, fingerprint, simulation)}


def unused_contents(catalogue: Catalogue) -> list[str]:
    """Return the contents of which something is kept and that no exemplar has, by sha256."""
    return [sha256 for (sha256,) in catalogue.db.execute("SELECT sha256 FROM unused_contents")]
