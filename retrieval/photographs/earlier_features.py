"""Bring features that an earlier version stored to the present form, without their photographs."""

from __future__ import annotations

import logging
import struct
from typing import Any

import numpy as np

from retrieval.photographs.features import VERSION, Features

_HEADER = struct.Struct("<III")
_EACH = 2 * 4 + 128
_AT_ONCE = 200
_MANY = 1000  # take seconds: a person should know why


def recode_features(db: Any, table: str) -> None:
    """Code the whole descriptors of version 1 in the columns `version` and `features` of a table.

    What is damaged stays as it is: of another version, it is found anew.
    """
    count = db.execute(f"SELECT count(*) FROM {table} WHERE version = 1").fetchone()[0]
    if count > _MANY:
        log = logging.getLogger(__name__)
        log.warning("The features of %d photographs are brought to the form of this version, once.", count)
    last = -1
    while rows := db.execute(
        f"SELECT rowid, features FROM {table} WHERE version = 1 AND rowid > ? ORDER BY rowid LIMIT ?", [last, _AT_ONCE]
    ).fetchall():
        coded = [(_coded(data), VERSION, row) for row, data in rows if _is_whole(data)]
        db.conn.executemany(f"UPDATE {table} SET features = ?, version = ? WHERE rowid = ?", coded)
        last = rows[-1][0]


def _is_whole(data: bytes) -> bool:
    count, width, height = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (0, 0, 0)
    return bool(width and height) and len(data) == _HEADER.size + _EACH * count


def _coded(data: bytes) -> bytes:
    count, width, height = _HEADER.unpack_from(data)
    points = np.frombuffer(data, "<f4", 2 * count, _HEADER.size).reshape(count, 2)
    descriptors = np.frombuffer(data, np.uint8, 128 * count, _HEADER.size + 8 * count).reshape(count, 128)
    return Features(points, descriptors, (width, height)).to_bytes()
