"""The heavy selection maths: arrays in, ids out."""
