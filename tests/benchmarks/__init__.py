"""How much less work the engine does than the loops people write: `make bench`."""
