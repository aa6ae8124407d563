"""The number by which derived files know a content."""

from __future__ import annotations

KEY_DIGITS = 15  # of the hash of a content, in its key
KEYS_END = 16**KEY_DIGITS  # beyond the last key


def content_key(sha256: str) -> int:
    """Return the key of a content: the first 60 bits of its hash."""
    return int(sha256[:KEY_DIGITS], 16)


def hashes_of_key(key: int) -> tuple[str, str]:
    """Return between which hashes those of a key lie, the last one not among them."""
    first = f"{key:0{KEY_DIGITS}x}"
    return first, f"{first}g"  # behind the last digit
