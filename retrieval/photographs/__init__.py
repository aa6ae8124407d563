"""Turn files into pixels, and pixels into what a photograph shows of itself: quality, local features."""
