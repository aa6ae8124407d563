"""Write a picture into a page: a JPEG within the address of the picture."""

from __future__ import annotations

import base64
import io

from PIL import Image


def data_uri(image: Image.Image, quality: int = 85) -> str:
    """Return the address that holds a picture as a JPEG."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
