"""Checks of this installation, for ``hybridgen doctor``.

Each module looks at one thing and turns it into findings; none prints, sends, or reads a file of a
project, and what a check cannot find out is a finding too. ``checkup`` has them all in order.
"""

from hybridgen.doctor.checkup import Asked, Places, diagnose
from hybridgen.doctor.remote import WayOut

__all__ = ["Asked", "Places", "WayOut", "diagnose"]
