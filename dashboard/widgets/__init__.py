"""Parts that views are put together from."""
