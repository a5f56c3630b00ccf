"""Records as one page that stands alone, and records read back from such a page or from their own files."""

from probes.report.page import Given, report
from probes.report.reading import NAMED_FILE, read

__all__ = ["NAMED_FILE", "Given", "read", "report"]
