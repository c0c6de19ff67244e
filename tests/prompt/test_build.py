"""Prompts as a whole: gold files, order, budgets, labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hybridgen.domain import Fragment, Label, Module, Prompt, Target
from hybridgen.prompt import PromptLimits, build_prompt

GOLD = Path(__file__).parent / "gold"


def count(texts: Sequence[str]) -> list[int]:
    """A token a word, so that budgets can be read off."""
    return [len(text.split()) for text in texts]


def fragment(text: str, label: Label = Label.INTERNAL) -> Fragment:
    return Fragment(text, label, "bank.py:17", "made by a test")


def build(
    module: Module,
    target: Target,
    *,
    missing: Sequence[Fragment] = (),
    examples: Sequence[Fragment] = (),
    limits: PromptLimits | None = None,
) -> Prompt:
    return build_prompt(
        module,
        target,
        import_name="shop.bank",
        missing=missing,
        examples=examples,
        count_tokens=count,
        limits=limits or PromptLimits(),
    )


def text(fragments: Sequence[Fragment]) -> str:
    return "".join(part.text for part in fragments)


def whole(prompt: Prompt) -> str:
    return text((*prompt.system, *prompt.context, *prompt.request)) + prompt.answer_start


@pytest.mark.parametrize("name", ["fee", "fetch", "Account", "Account.pay", "Account.parse"])
def test_prompt_is_the_one_in_the_gold_file(
    module: Module, target: Callable[[str], Target], name: str
) -> None:
    gold = (GOLD / f"{name}.txt").read_text(encoding="utf-8")
    assert whole(build(module, target(name))) + "\n" == gold


def test_prompt_with_what_is_missing_is_the_one_in_the_gold_file(
    module: Module, target: Callable[[str], Target]
) -> None:
    missing = [fragment("if amount > LIMIT:\n    return _round(amount * rate)")]
    prompt = build(module, target("fee"), missing=missing, examples=[fragment("fee(3)")])
    gold = (GOLD / "fee-missing.txt").read_text(encoding="utf-8")
    assert whole(prompt) + "\n" == gold


def test_all_before_the_target_is_equal_for_all_targets(module: Module) -> None:
    prompts = [build(module, target) for target in module.targets]
    assert len({(text(prompt.system), text(prompt.context)) for prompt in prompts}) == 1
    assert len({text(prompt.request) for prompt in prompts}) == len(prompts)


def test_nothing_is_cut_within_the_budget(module: Module) -> None:
    assert all(build(module, target).cut == () for target in module.targets)


def test_outline_is_cut_by_rank_and_says_so(module: Module) -> None:
    prompt = build(module, module.targets[0], limits=PromptLimits(context_tokens=41))
    assert prompt.cut == ("from decimal import Decimal", "_round")
    context = text(prompt.context)
    assert "class Account" in context
    assert "def fee" in context
    assert "_round" not in context


def test_methods_are_never_outlined_without_their_class(module: Module) -> None:
    prompt = build(module, module.targets[0], limits=PromptLimits(context_tokens=2))
    assert "Account.pay" in prompt.cut
    assert "pay" not in text(prompt.context)


def test_callees_and_examples_go_before_what_is_missing(
    module: Module, target: Callable[[str], Target]
) -> None:
    missing, example = fragment("if amount > LIMIT:"), fragment("fee( 1, 2, 3 )")
    own = sum(count([target("fee").source])) - len([">>>", "fee(10)", "5.0"])
    prompt = build(
        module,
        target("fee"),
        missing=[missing],
        examples=[example],
        limits=PromptLimits(target_tokens=own + 5),
    )
    assert prompt.cut == ("example: fee( 1, 2, 3 )", "source: _round")
    assert missing in prompt.request
    assert example not in prompt.request


def test_long_source_loses_its_end_and_stays_within_the_budget(
    module: Module, target: Callable[[str], Target]
) -> None:
    prompt = build(module, target("fee"), limits=PromptLimits(target_tokens=16))
    assert prompt.cut[0] == "fee: lines after 2 of 5"
    assert "def fee" in text(prompt.request)
    assert "return 0.0" not in text(prompt.request)


def test_prompt_is_as_confidential_as_its_strictest_part(
    module: Module, target: Callable[[str], Target]
) -> None:
    assert build(module, target("fee")).label is Label.INTERNAL
    secret = [fragment("secret", Label.CONFIDENTIAL)]
    assert build(module, target("fee"), missing=secret).label is Label.CONFIDENTIAL
    assert build(module, target("fee"), examples=secret).label is Label.CONFIDENTIAL


def test_every_word_of_the_module_carries_the_modules_label(
    module: Module, target: Callable[[str], Target]
) -> None:
    for target_ in module.targets:
        prompt = build(module, target_)
        public = [
            part.text
            for part in (*prompt.system, *prompt.context, *prompt.request)
            if part.label is Label.PUBLIC
        ]
        assert not any(
            word in piece for piece in public for word in ("fee", "Account", "bank", "LIMIT")
        )
