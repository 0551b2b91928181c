"""Common parts of the image formats: pixels, transparency, orientation, pages and colours."""
