"""Many visitors at one hosted page: `python -m tests.load`, `make load`."""
