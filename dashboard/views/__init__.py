"""One thin script a page: read the state, call the service, draw."""
