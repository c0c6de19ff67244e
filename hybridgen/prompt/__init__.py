"""The shared prompt layer: what every backend is asked, in which order, within which budget."""

from hybridgen.prompt.build import PromptLimits, build_prompt
from hybridgen.prompt.questions import Question, QuestionKind, build_question, questions
from hybridgen.prompt.templates import is_ours

__all__ = [
    "PromptLimits",
    "Question",
    "QuestionKind",
    "build_prompt",
    "build_question",
    "is_ours",
    "questions",
]
