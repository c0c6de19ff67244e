"""The proof room: attacks hybridgen's own processes, and says what came of it.

``hybridgen doctor --prove`` and ``tests/redteam`` share the attacks (``attacker.py``), the table of
what each process has to deny (``expected.py``) and the way to get an attacker into each real
process (``cast.py``), which is started by production's own call and changed only in what it does
after its locks.
"""

from hybridgen.proof.expected import PROCESSES
from hybridgen.proof.proving import RUN, Row, Verdict, prove

__all__ = ["PROCESSES", "RUN", "Row", "Verdict", "prove"]
