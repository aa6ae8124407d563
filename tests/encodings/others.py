"""The work as JPEG, PNG, GIF, WebP, BMP, HEIF, AVIF, JPEG 2000, JPEG XL and PDF."""

import io
import struct
import zlib
from collections.abc import Iterator

import imagecodecs
import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  registers JPEG XL with Pillow
from PIL import Image

from tests.encodings.encoding import DEEP, EXACT, LOSSY, Encoding, deep, linear, saved, seen

_QUICK = {"enc_params": {"preset": "ultrafast"}}  # of HEIF


def _turned(image: Image.Image) -> tuple[Image.Image, Image.Exif]:
    """Return a picture on its side, and the EXIF block that stands it up."""
    exif = Image.Exif()
    exif[274] = 6
    return image.transpose(Image.Transpose.ROTATE_90), exif


def _jpeg(work: Image.Image) -> Iterator[Encoding]:
    pixels, grey = seen(work), work.convert("L")
    kinds = {"4:4:4": {"subsampling": 0}, "4:2:2": {"subsampling": 1}, "4:2:0": {"subsampling": 2},
             "progressive": {"progressive": True}, "restarts": {"restart_marker_rows": 1}, "rgb": {"keep_rgb": True},
             "optimised": {"optimize": True}}  # fmt: skip
    for name, more in kinds.items():
        yield Encoding(f"{name.replace(':', '')}.jpg", saved(work, "JPEG", quality=95, **more), pixels, LOSSY)
    yield Encoding("grey.jpg", saved(grey, "JPEG", quality=95), seen(grey), 3.0)
    inks = work.convert("CMYK")
    yield Encoding("cmyk.jpg", saved(inks, "JPEG", quality=95), seen(inks), LOSSY)
    light = 255 - np.asarray(inks)
    plain = saved(Image.fromarray(light, "CMYK"), "JPEG", quality=95)
    mark = plain.index(b"\xff\xee")  # Adobe's: without it, ink is stored as ink
    length = 2 + int.from_bytes(plain[mark + 2 : mark + 4], "big")
    yield Encoding("cmyk without adobe.jpg", plain[:mark] + plain[mark + length :], seen(inks), LOSSY)
    ycck = imagecodecs.jpeg8_encode(light, 95, colorspace="cmyk", outcolorspace="ycck", subsampling="444")
    yield Encoding("ycck.jpg", bytes(ycck), seen(inks), LOSSY)
    turned, exif = _turned(work)
    yield Encoding("turned.jpg", saved(turned, "JPEG", quality=95, exif=exif), pixels, LOSSY)
    yield Encoding(
        "two.mpo", saved(work, "MPO", save_all=True, append_images=[work.rotate(180)], quality=95), pixels, LOSSY
    )
    for bits in (12, 16):
        values = deep(pixels) >> (16 - bits)
        if bits == 12:
            data = imagecodecs.jpeg8_encode(values, 95, bitspersample=12, subsampling="444")
            yield Encoding("12 bits.jpg", bytes(data), pixels, LOSSY)
        data = imagecodecs.jpeg8_encode(values, lossless=True, bitspersample=bits)
        yield Encoding(f"lossless {bits} bits.jpg", bytes(data), pixels, DEEP)
    yield Encoding("lossless.jpg", bytes(imagecodecs.jpeg8_encode(pixels, lossless=True)), pixels)
    for values in (pixels, deep(pixels), np.asarray(grey)):
        shows = pixels if values.ndim == 3 else seen(grey)
        name = f"jpeg-ls {8 * values.itemsize} bits {values.ndim}.jls"
        yield Encoding(name, bytes(imagecodecs.jpegls_encode(values)), shows)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _interlaced(pixels: np.ndarray) -> bytes:
    """Return an interlaced PNG, which Pillow does not write."""
    height, width, _ = pixels.shape
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    parts = [pixels[top::down, left::across] for top, left, down, across in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part if part.size)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    return start + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _png(work: Image.Image) -> Iterator[Encoding]:
    pixels, grey = seen(work), work.convert("L")
    for mode in ("1", "L", "P", "RGB", "LA", "RGBA"):
        image = work.convert(mode)
        yield Encoding(f"{mode}.png", saved(image, "PNG"), seen(image))
    for bits, colours in ((1, 2), (2, 4), (4, 16)):
        few = work.quantize(colours)
        yield Encoding(f"palette {bits} bits.png", saved(few, "PNG", bits=bits), seen(few))
    opaque = np.full(pixels.shape[:2], 255, np.uint8)
    for alpha, name in ((opaque, "opaque"), (0 * opaque, "transparent everywhere")):
        for colour in (pixels, np.asarray(grey)):
            values = np.dstack([colour, alpha])
            shows = seen(work if colour.ndim == 3 else grey)
            for deeper in (values, deep(values)):
                title = f"{name} {values.shape[2]} samples {8 * deeper.itemsize} bits.png"
                yield Encoding(title, bytes(imagecodecs.png_encode(deeper)), shows, EXACT)
    yield Encoding("16 bits.png", bytes(imagecodecs.png_encode(deep(pixels))), pixels)
    deep_grey = Image.fromarray(deep(np.asarray(grey)))
    yield Encoding("grey 16 bits.png", saved(deep_grey, "PNG"), seen(grey))
    (darkest, _), shows = grey.getextrema(), seen(grey).copy()
    shows[np.asarray(grey) == darkest] = 255
    yield Encoding("grey 16 bits with a clear one.png", saved(deep_grey, "PNG", transparency=257 * darkest), shows)
    yield Encoding("interlaced.png", _interlaced(pixels), pixels)
    turned, exif = _turned(work)
    yield Encoding("turned.png", saved(turned, "PNG", exif=exif), pixels)
    moving = {"save_all": True, "append_images": [work.rotate(180)]}
    yield Encoding("moving.png", saved(work, "PNG", **moving), pixels)


def _gif_webp_bmp(work: Image.Image) -> Iterator[Encoding]:
    pixels, moving = seen(work), {"save_all": True, "append_images": [work.rotate(180)]}
    indexed = work.quantize(256)
    yield Encoding("a.gif", saved(indexed, "GIF"), seen(indexed))
    yield Encoding("interlaced.gif", saved(indexed, "GIF", interlace=True), seen(indexed))
    moved = {"save_all": True, "append_images": [indexed.rotate(180)]}
    yield Encoding("moving.gif", saved(indexed, "GIF", **moved), seen(indexed))
    yield Encoding("lossy.webp", saved(work, "WEBP", quality=95), pixels, LOSSY)
    yield Encoding("lossless.webp", saved(work, "WEBP", lossless=True), pixels)
    yield Encoding("moving.webp", saved(work, "WEBP", lossless=True, **moving), pixels)
    turned, exif = _turned(work)
    yield Encoding("turned.webp", saved(turned, "WEBP", lossless=True, exif=exif), pixels)
    clear = work.copy()
    clear.putalpha(0)
    yield Encoding("transparent everywhere.webp", saved(clear, "WEBP", lossless=True, exact=True), pixels)
    for mode in ("1", "L", "P", "RGB"):
        image = work.convert(mode)
        yield Encoding(f"{mode}.bmp", saved(image, "BMP"), seen(image))
    header = struct.pack("<IiiHHIIiiII", 40, work.width, -work.height, 1, 32, 0, 0, 0, 0, 0, 0)
    body = np.dstack([pixels[..., ::-1], np.zeros(pixels.shape[:2], np.uint8)]).tobytes()
    from_top = b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body
    yield Encoding("32 bits from the top.bmp", from_top, pixels)
    yield Encoding("fields of 4 bits.bmp", _in_fields(pixels), pixels // 16 * 17)


def _in_fields(pixels: np.ndarray) -> bytes:
    """Return a BMP of 4 bits a colour, whose masks say where."""
    height, width, _ = pixels.shape
    red, green, blue = np.moveaxis(pixels.astype(np.uint16) >> 4, -1, 0)
    header = struct.pack("<IiiHHIIiiII3I", 40, width, height, 1, 16, 3, 0, 0, 0, 0, 0, 0xF00, 0xF0, 0xF)
    body = (red << 8 | green << 4 | blue)[::-1].tobytes()
    return b"BM" + struct.pack("<IHHI", 66 + len(body), 0, 0, 66) + header + body


def _heif_avif(work: Image.Image) -> Iterator[Encoding]:
    pixels, grey = seen(work), work.convert("L")
    pillow_heif.register_heif_opener()
    small = (32, 24)
    yield Encoding("a.heic", saved(work, "HEIF", **_QUICK, quality=95), pixels, LOSSY)
    yield Encoding("444.heic", saved(work, "HEIF", **_QUICK, quality=95, chroma=444), pixels, LOSSY)
    yield Encoding(
        "lossless.heic", saved(work, "HEIF", **_QUICK, quality=-1, matrix_coefficients=0, chroma=444), pixels, DEEP
    )
    yield Encoding("grey.heic", saved(grey, "HEIF", **_QUICK, quality=95), seen(grey), LOSSY)
    for bits in (10, 12):
        from_deep = pillow_heif.from_bytes("RGB;16", work.size, deep(pixels).tobytes())
        file = io.BytesIO()
        pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
        from_deep.save(file, quality=95, chroma=444, **_QUICK)
        yield Encoding(f"{bits} bits.heic", file.getvalue(), pixels, LOSSY)
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    with_alpha = work.copy()
    with_alpha.putalpha(0)
    yield Encoding("transparent everywhere.heic", saved(with_alpha, "HEIF", **_QUICK, quality=95), pixels, LOSSY)
    turned, exif = _turned(work)
    yield Encoding("turned.heic", saved(turned, "HEIF", **_QUICK, quality=95, exif=exif.tobytes()), pixels, LOSSY)
    thumbnail = pillow_heif.from_pillow(work)
    thumbnail.info["thumbnails"] = [max(small)]
    file = io.BytesIO()
    thumbnail.save(file, quality=95, **_QUICK)
    yield Encoding("with a thumbnail.heic", file.getvalue(), pixels, LOSSY)
    for name, more in {"420": {}, "444": {"subsampling": "4:4:4"}}.items():
        yield Encoding(f"{name}.avif", saved(work, "AVIF", speed=10, quality=90, **more), pixels, LOSSY)
    yield Encoding("grey.avif", saved(grey, "AVIF", speed=10, quality=90), seen(grey), LOSSY)
    moving = {"save_all": True, "append_images": [work.rotate(180)]}
    yield Encoding("moving.avif", saved(work, "AVIF", speed=10, quality=90, **moving), pixels, LOSSY)
    yield Encoding("turned.avif", saved(turned, "AVIF", speed=10, quality=90, exif=exif), pixels, LOSSY)
    for bits in (10, 12):
        data = imagecodecs.avif_encode(deep(pixels) >> (16 - bits), 95, bitspersample=bits, pixelformat="444", speed=10)
        yield Encoding(f"{bits} bits.avif", bytes(data), pixels, LOSSY)


def _jpeg_2000(work: Image.Image) -> Iterator[Encoding]:
    pixels, grey = seen(work), work.convert("L")
    for mode in ("L", "LA", "RGB", "RGBA"):
        image = work.convert(mode)
        yield Encoding(f"{mode}.jp2", saved(image, "JPEG2000"), seen(image))
    yield Encoding("a.j2k", saved(work, "JPEG2000", no_jp2=True), pixels)
    yield Encoding("tiles.jp2", saved(work, "JPEG2000", tile_size=(64, 64)), pixels)
    yield Encoding("lossy.jpx", saved(work, "JPEG2000", irreversible=True, quality_layers=[8]), pixels, LOSSY)
    yield Encoding("16 bits.jp2", bytes(imagecodecs.jpeg2k_encode(deep(pixels), level=0)), pixels, DEEP)
    yield Encoding(
        "16 bits.j2k", bytes(imagecodecs.jpeg2k_encode(deep(pixels), level=0, codecformat="j2k")), pixels, DEEP
    )
    values = deep(np.asarray(grey))
    yield Encoding("grey 16 bits.jp2", bytes(imagecodecs.jpeg2k_encode(values, level=0)), seen(grey), DEEP)
    twelve = imagecodecs.jpeg2k_encode(values >> 4, level=0, bitspersample=12)
    yield Encoding("grey 12 bits.jp2", bytes(twelve), seen(grey), DEEP)


def _jpeg_xl(work: Image.Image) -> Iterator[Encoding]:
    pixels, grey = seen(work), work.convert("L")
    yield Encoding("lossy.jxl", saved(work, "JXL", quality=95), pixels, LOSSY)
    yield Encoding("lossless.jxl", saved(work, "JXL", lossless=True), pixels)
    yield Encoding("container.jxl", saved(work, "JXL", lossless=True, use_container=True), pixels)
    yield Encoding("grey.jxl", saved(grey, "JXL", lossless=True), seen(grey))
    alpha = work.convert("RGBA")
    yield Encoding("alpha.jxl", saved(alpha, "JXL", lossless=True), pixels)
    for colour in (pixels, np.asarray(grey)):  # what is deep, the encoder declares to be linear light
        light = np.rint(65535 * linear(colour)).astype(np.uint16)
        shows, samples = (pixels, 3) if colour.ndim == 3 else (seen(grey), 1)
        data = imagecodecs.jpegxl_encode(light, lossless=True)
        yield Encoding(f"{samples} samples 16 bits.jxl", bytes(data), shows, 2.0)


def _pdf(work: Image.Image) -> Iterator[Encoding]:
    yield Encoding("a.pdf", saved(work, "PDF", quality=95), seen(work), LOSSY)
    yield Encoding("grey.pdf", saved(work.convert("L"), "PDF", quality=95), seen(work.convert("L")), LOSSY)
    yield Encoding("bits.pdf", saved(work.convert("1"), "PDF"), seen(work.convert("1")), LOSSY)
    yield Encoding("fine.pdf", saved(work, "PDF", quality=95, resolution=300), seen(work), LOSSY)


OTHER_WAYS = (_jpeg, _png, _gif_webp_bmp, _heif_avif, _jpeg_2000, _jpeg_xl, _pdf)
