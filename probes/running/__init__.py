"""From a question to a record: the one path of command line, page and scripts; sets of passages."""
