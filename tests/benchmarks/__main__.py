"""All benchmarks, one after the other."""

from tests.benchmarks.words import main

if __name__ == "__main__":
    main()
