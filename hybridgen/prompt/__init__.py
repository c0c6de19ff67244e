"""The shared prompt layer: what every backend is asked, in which order, within which budget."""

from hybridgen.prompt.build import PromptLimits, build_prompt
from hybridgen.prompt.expectation import Expectation, build_expectation, is_documented
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
    "PromptLimits",
    "Question",
    "QuestionKind",
    "QuestionLimits",
    "build_expectation",
    "build_prompt",
    "build_question",
    "is_documented",
    "is_ours",
    "questions",
]
