"""Reading and writing files: arrays, pictures, digests, atomic writes."""
