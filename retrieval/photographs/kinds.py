"""Tell what kind of picture a file holds by its first bytes, whatever it is called."""

HEAD = 1024  # bytes that `kind_of` needs: a PDF may begin anywhere in them

SUFFIXES = frozenset([
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jpg_large", ".jpg_orig", ".mpo", ".png", ".apng", ".tif", ".tiff",
    ".btf", ".tf8", ".webp", ".bmp", ".dib", ".gif", ".heic", ".heics", ".heif", ".hif", ".avif", ".avifs",
    ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jxl", ".psd", ".psb", ".pdf",
    ".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".sr2", ".srf", ".orf", ".raf", ".rw2", ".rwl", ".pef",
    ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".erf", ".mef", ".mos", ".mrw", ".dcr", ".kdc",
])  # fmt: skip
NAMES = "JPEG, PNG, TIFF, WebP, BMP, GIF, HEIF, AVIF, JPEG 2000, JPEG XL, PSD, PDF or camera raw"

_MAGIC = {
    "JPEG": (b"\xff\xd8",),  # after which there may be stray bytes
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "JPEG2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "JXL": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "PSD": (b"8BPS\0\1", b"8BPS\0\2"),
    "RAW": (  # those that do not begin like a TIFF
        b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb", b"II\x1a\0\0\0HEAPCCDR",
        b"II*\0\x10\0\0\0CR\2\0",
    ),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}  # fmt: skip
_OTHERS = {
    "SVG": (b"<svg",), "PostScript": (b"%!PS", b"\xc5\xd0\xd3\xc6"), "OpenEXR": (b"v/1\1",),
    "Radiance HDR": (b"#?RADIANCE", b"#?RGBE"), "JPEG XR": (b"II\xbc",), "DirectDraw surface": (b"DDS ",),
    "GIMP": (b"gimp xcf",), "DjVu": (b"AT&TFORM",), "FITS": (b"SIMPLE  =",), "Netpbm": (b"P4\n", b"P5\n", b"P6\n"),
    "QOI": (b"qoif",), "Windows icon": (b"\0\0\1\0",), "BPG": (b"BPG\xfb",), "FLIF": (b"FLIF",),
}  # fmt: skip
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}


def kind_of(head: bytes) -> str | None:
    """Return the name of the kind that the first HEAD bytes of a file announce; None if they are no photograph's.

    "TIFF" may be camera raw too, which only its directories tell.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _iso_kind(head)
    found = _beginning(head, _MAGIC)
    return found or ("PDF" if b"%PDF-" in head else None)


def other_kind_of(head: bytes) -> str | None:
    """Return the name of a kind of picture that is known and not read, by a file's first HEAD bytes; else None."""
    if head[4:8] == b"ftyp":
        return "minimised HEIF" if head[8:12] == b"mif3" else "film"
    return "DICOM" if head[128:132] == b"DICM" else _beginning(head, _OTHERS)


def _beginning(head: bytes, kinds: dict[str, tuple[bytes, ...]]) -> str | None:
    return next((kind for kind, magics in kinds.items() if head.startswith(magics)), None)


def _iso_kind(head: bytes) -> str | None:
    """Return the kind of an ISO media file by its brands."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size, 4))]
    if brands[0] == b"crx ":
        return "RAW"
    codec = next((brand for brand in brands if brand in _HEIF_BRANDS | _AVIF_BRANDS), None)
    if codec or {b"mif1", b"msf1"} & set(brands):
        return "AVIF" if codec in _AVIF_BRANDS else "HEIF"
    return None
