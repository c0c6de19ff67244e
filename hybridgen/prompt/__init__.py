"""The shared prompt layer: what every backend is asked, in which order, within which budget."""

from hybridgen.prompt.build import PromptLimits, build_prompt
from hybridgen.prompt.templates import is_ours

__all__ = ["PromptLimits", "build_prompt", "is_ours"]
