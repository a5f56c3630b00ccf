"""What was found: the record, what of it counts, where it is kept and what it was made with."""
