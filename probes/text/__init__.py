"""Text to words with their places, lossless; what really goes when a word goes."""
