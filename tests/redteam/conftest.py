"""What several attacks start their runs with."""

from __future__ import annotations

import pytest

_QUICK = """
import hybridgen.explore.search as search, hybridgen.pipeline.unit as unit
from hybridgen.errors import RunnerError
search.OPEN_PLATEAU = 0.2
search.Search.simplify = lambda *arguments: None
def enough(*arguments):
    raise RunnerError("all was asked")
unit.Writer.rehearse = lambda writer: None
unit.Writer.confirm = enough
"""


@pytest.fixture(scope="session")
def quick() -> str:
    """Python that ends the work on a module after the last question to a model."""
    return _QUICK
