"""`python -m nextlabel` is `nextlabel`."""

import sys

from nextlabel.cli import main

if __name__ == "__main__":
    sys.exit(main())
