"""What all tests share: reproducible examples, and no test that waits for a terminal."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("steady")
