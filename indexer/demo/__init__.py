"""Paint a small demonstration: works that nobody made, photographs of them, and copies by another hand."""

from indexer.demo.folder import Demo, paint_demo

__all__ = ["Demo", "paint_demo"]
