"""Side by side, in one process, one thread, warm: `make bench` prints ratios, not promises."""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import selection
import training


def main():
    """Print the tables of selection, then those of training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repeats and the large cases")
    full = parser.parse_args().full
    selection.main(full)
    print()
    training.main(full)


if __name__ == "__main__":
    main()
