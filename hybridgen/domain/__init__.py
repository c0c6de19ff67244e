"""The frozen dataclasses that flow from room to room.

Every type that carries text of a project, or something made from it, carries a
:class:`Label`. A label is decided once, in ``label/``, and after that only rises.
"""

from hybridgen.domain.code import (
    ImportName,
    Interpreter,
    Module,
    Parameter,
    ParameterKind,
    Project,
    Runtime,
    Target,
    TargetKind,
)
from hybridgen.domain.egress import (
    Destination,
    Payload,
    Sent,
)
from hybridgen.domain.labels import (
    Evidence,
    Fragment,
    Label,
    SourceFile,
    strictest,
)
from hybridgen.domain.prompts import (
    END_OF_CODE,
    Breadth,
    Completion,
    Prompt,
    Route,
    Usage,
    estimated_tokens,
)
from hybridgen.domain.results import (
    Asked,
    Coverage,
    MutationScore,
    Outcome,
    Strength,
    Suspect,
    TestFile,
)
from hybridgen.domain.runs import (
    AGREED,
    Arc,
    Candidate,
    Check,
    CheckKind,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)

__all__ = [
    "AGREED",
    "END_OF_CODE",
    "Arc",
    "Asked",
    "Breadth",
    "Candidate",
    "Check",
    "CheckKind",
    "Completion",
    "Coverage",
    "Destination",
    "Evidence",
    "Fragment",
    "ImportName",
    "Interpreter",
    "Label",
    "Module",
    "MutationScore",
    "Observation",
    "Outcome",
    "Parameter",
    "ParameterKind",
    "Payload",
    "Project",
    "Prompt",
    "Raised",
    "Route",
    "Runtime",
    "Sent",
    "SourceFile",
    "Step",
    "StepKind",
    "StepResult",
    "Strength",
    "Suspect",
    "Target",
    "TargetKind",
    "TestFile",
    "Usage",
    "estimated_tokens",
    "strictest",
]
