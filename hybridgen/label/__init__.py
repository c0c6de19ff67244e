"""The label room: how confidential each piece of text is, and why.

A file is confidential unless a mark allows less, and then as strict as the strictest thing that is
known about it. Marks that came with the project count for the files that the user trusted.
"""

from hybridgen.label.below import Said
from hybridgen.label.cache import FactCache
from hybridgen.label.fragments import fragment_of, unlabelled
from hybridgen.label.labeller import Labeller
from hybridgen.label.rules import STRICT, Mark, Rules, check_marks
from hybridgen.label.trust import Trusted, TrustedFile, TrustStore

__all__ = [
    "STRICT",
    "FactCache",
    "Labeller",
    "Mark",
    "Rules",
    "Said",
    "TrustStore",
    "Trusted",
    "TrustedFile",
    "check_marks",
    "fragment_of",
    "unlabelled",
]
