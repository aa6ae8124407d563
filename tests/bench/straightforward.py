"""What a query costs without `artifact`: a plain script with torch, open_clip and faiss, for the comparison."""

from __future__ import annotations

import sys
from pathlib import Path

import faiss
import open_clip
import torch
from PIL import Image

from retrieval.encoder.encoder import DEFAULT_FOLDER, read_description
from retrieval.encoder.torch_engine import load_own_network


def main(photo: str, vectors: str) -> None:
    """Print the five nearest ids of a photograph."""
    network = load_own_network(DEFAULT_FOLDER / "model.safetensors", read_description(DEFAULT_FOLDER)).eval()
    preprocess = open_clip.image_transform(
        260, is_train=False, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, resize_mode="squash"
    )
    with torch.no_grad(), Image.open(photo) as image:
        vector = network(preprocess(image.convert("RGB"))[None]).numpy()
    similarity, ids = faiss.read_index(vectors).search(vector, 5)
    for found, closeness in zip(ids[0], similarity[0], strict=True):
        print(int(found), float(2 - 2 * closeness) ** 0.5)


if __name__ == "__main__":
    main(sys.argv[1], str(Path(sys.argv[2])))
