"""Decides the label of a piece of text.

Nothing lowers a label yet: marks that a user trusts come as further rules. A rule that has no
opinion or fails can never make text less confidential (invariants 1 and 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybridgen.domain import Fragment, Label

# Takes text and origin; gives a label with its reason, or None for "no opinion".
Rule = Callable[[str, str], tuple[Label, str] | None]

RULES: tuple[Rule, ...] = ()


def label_text(text: str, origin: str, rules: Sequence[Rule] = RULES) -> Fragment:
    """Label ``text``: the strictest answer of all rules, and confidential if there is none.

    Args:
        text: what is labelled.
        origin: where it came from, for people (a path as displayed).
        rules: asked in order; one that raises makes the text confidential.
    """
    answers: list[tuple[Label, str]] = []
    for rule in rules:
        try:
            answer = rule(text, origin)
        except Exception as error:  # whatever goes wrong while classifying: confidential
            why = f"could not be classified ({type(error).__name__}), so confidential"
            return Fragment(text, Label.CONFIDENTIAL, origin, why)
        if answer is not None:
            answers.append(answer)
    unmarked = (Label.CONFIDENTIAL, "not marked, so confidential")
    label, why = max(answers, key=lambda answer: answer[0], default=unmarked)
    return Fragment(text, label, origin, why)
