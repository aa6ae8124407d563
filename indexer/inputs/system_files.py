"""Know the files and folders that systems, network drives and programs keep beside photographs."""

from __future__ import annotations

import re
from fnmatch import translate

NAMES = (
    "@eaDir", "@tmp", "@Recycle", "@Recently-Snapshot", "@sharebin", ".@*", "#recycle", "#snapshot", "~snapshot",
    "$RECYCLE.BIN", "RECYCLER", "System Volume Information", "found.[0-9][0-9][0-9]", "Thumbs.db", "Thumbs.db:*",
    "ehthumbs*.db", "desktop.ini", "~$*", "*:Zone.Identifier",
    "__MACOSX", "._*", ".DS_Store", ".AppleD*", ".Spotlight-*", ".fseventsd", ".TemporaryItems", ".DocumentRevisions-*",
    "Network Trash Folder", "Temporary Items", "Icon\r",
    "lost+found", ".Trash*", ".thumbnails", ".nfs*", ".fuse_hidden*", ".snapshot*",
    ".git", ".svn", ".hg",
    "*.lrdata", "ZbThumbnail.info", "Picasa.ini", ".picasa*", ".stversions", ".stfolder", ".dropbox*",
)  # fmt: skip
_ANY = re.compile("|".join(f"({translate(name)})" for name in NAMES), re.IGNORECASE)


def system_name(name: str) -> str | None:
    """Return which of NAMES the name of a file or folder is, in any case; None for a user's own."""
    found = _ANY.match(name)
    return NAMES[found.lastindex - 1] if found and found.lastindex else None
