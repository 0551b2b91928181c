"""Entry point of `python -m scripts.reference`."""

import sys

from scripts.reference import main

sys.exit(main(sys.argv[1:]))
