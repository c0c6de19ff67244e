"""The shared prompt layer: what every backend is asked, in which order, within which budget."""

from hybridgen.prompt.build import PromptLimits, build_prompt
from hybridgen.prompt.expectation import Expectation, build_expectation, is_documented
from hybridgen.prompt.kill import Kill, build_kill, changing
from hybridgen.prompt.naming import Naming, build_naming
from hybridgen.prompt.questions import (
    LIMITS,
    Question,
    QuestionKind,
    QuestionLimits,
    build_question,
    questions,
)
from hybridgen.prompt.templates import is_ours

__all__ = [
    "LIMITS",
    "Expectation",
    "Kill",
    "Naming",
    "PromptLimits",
    "Question",
    "QuestionKind",
    "QuestionLimits",
    "build_expectation",
    "build_kill",
    "build_naming",
    "build_prompt",
    "build_question",
    "changing",
    "is_documented",
    "is_ours",
    "questions",
]
