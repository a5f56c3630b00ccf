"""A gallery of records: a folder of pages that any static host can serve, or that opens from a disk."""

from probes.site.folder import Folder
from probes.site.gallery import Leaf, gallery
from probes.site.measuring import STUDIES_SHOWN, leaf_of_lecture, leaf_of_preset, leaves_of_files

__all__ = [
    "STUDIES_SHOWN",
    "Folder",
    "Leaf",
    "gallery",
    "leaf_of_lecture",
    "leaf_of_preset",
    "leaves_of_files",
]
