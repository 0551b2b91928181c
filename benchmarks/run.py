"""All benchmarks, in one process, one thread, warm: `make bench` prints their tables."""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

clock = time.perf_counter()


def main():
    """Print the tables of each part, and the time that it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repeats and the large cases")
    full = parser.parse_args().full
    import covering
    import end_to_end
    import growth
    import ten_million
    import training

    import selection

    for part in (selection, covering, ten_million, training, growth, end_to_end):
        begin = time.perf_counter()
        part.main(full)
        print(f"  {part.__name__} took {time.perf_counter() - begin:.0f} s\n", flush=True)
    print(f"all of it took {(time.perf_counter() - clock) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
