"""Records as one page that stands alone, and records read back from such a page or from their own files."""

from probes.report.page import Given, report
from probes.report.reading import read

__all__ = ["Given", "read", "report"]
