"""Tell what kind of picture a file holds by its first bytes, whatever it is called."""

HEAD = 256  # bytes that `kind_of` needs

SUFFIXES = frozenset([
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff",
    ".webp", ".bmp", ".gif", ".heic", ".heif", ".hif", ".avif",
])  # fmt: skip

_MAGIC = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}


def kind_of(head: bytes) -> str | None:
    """Return the name of the kind that the first HEAD bytes of a file announce; None if they are no photograph's."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, size, 4))]
        codec = next((brand for brand in brands if brand in _HEIF_BRANDS | _AVIF_BRANDS), None)
        if codec or {b"mif1", b"msf1"} & set(brands):
            return "AVIF" if codec in _AVIF_BRANDS else "HEIF"
    return next((kind for kind, magics in _MAGIC.items() if head.startswith(magics)), None)
