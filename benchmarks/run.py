"""All benchmarks, in one process, one thread, warm: `make bench` prints their tables."""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import selection

clock = time.perf_counter()


def main():
    """Print the tables of selection, training, growth, and the whole experiment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repeats and the large cases")
    full = parser.parse_args().full
    selection.main(full)
    import covering
    import end_to_end
    import growth
    import ten_million
    import training

    for part in (covering, ten_million, training, growth, end_to_end):
        print(flush=True)
        part.main(full)
    print(f"\nall of it took {(time.perf_counter() - clock) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
