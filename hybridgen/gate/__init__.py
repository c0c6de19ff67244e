"""The one door out: clears prompts, keeps the ledger, and knows copies of strict files."""

from hybridgen.gate.clear import Gate, payload_of
from hybridgen.gate.cleared import Cleared, outgoing_bytes
from hybridgen.gate.derived import is_derived
from hybridgen.gate.index import FingerprintIndex, Overlap
from hybridgen.gate.ledger import SHORTEST_HEAD, Entry, Ledger, Verification, is_head

__all__ = [
    "SHORTEST_HEAD",
    "Cleared",
    "Entry",
    "FingerprintIndex",
    "Gate",
    "Ledger",
    "Overlap",
    "Verification",
    "is_derived",
    "is_head",
    "outgoing_bytes",
    "payload_of",
]
