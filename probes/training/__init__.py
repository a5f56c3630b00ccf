"""Makes the built-in model: generator -> examples -> training -> weights, and measures it for its card."""
