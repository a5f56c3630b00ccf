"""`python -m probes` is `crux`."""

from probes.cli import main

if __name__ == "__main__":
    main()
