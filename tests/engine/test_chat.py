"""Chat templates: what is template, what is content, what is refused."""

from __future__ import annotations

import pytest

from hybridgen.engine.chat import ChatTemplate, ChatTemplateError, Piece

CHATML = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def render(source: str) -> list[Piece]:
    return ChatTemplate(source, bos="<s>", eos="</s>").pieces("S", ("C", "R"), "A")


def test_only_what_the_template_wrote_may_be_control_tokens() -> None:
    assert render(CHATML) == [
        Piece("<s><|im_start|>system\n", is_template=True, is_shared=True),
        Piece("S", is_template=False, is_shared=True),
        Piece("<|im_end|>\n<|im_start|>user\n", is_template=True, is_shared=True),
        Piece("C", is_template=False, is_shared=True),
        Piece("R", is_template=False, is_shared=False),
        Piece("<|im_end|>\n<|im_start|>assistant\n", is_template=True, is_shared=False),
        Piece("A", is_template=False, is_shared=False),
    ]


def test_template_syntax_in_content_is_not_evaluated() -> None:
    template = ChatTemplate(CHATML, bos="", eos="")
    texts = [piece.text for piece in template.pieces("{{ 1/0 }}", ("{% endfor %}",), "")]
    assert "{{ 1/0 }}" in texts
    assert "{% endfor %}" in texts


def test_instructions_go_to_the_user_where_there_is_no_system_role() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}"
        "{{ raise_exception('no system role') }}{% endif %}[{{ m.content | trim }}]{% endfor %}"
    )
    assert [piece.text for piece in render(source)] == ["[", "S\n\n", "C", "R", "]", "A"]


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in %}",
        "no place for messages",
        "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
        "{{ messages[5].content }}",
        "{{ raise_exception('never') }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}"
        "{% for m in messages %}{{ m.content }}{% endfor %}",
    ],
)
def test_template_that_cannot_be_trusted_with_messages_is_refused(source: str) -> None:
    with pytest.raises(ChatTemplateError):
        render(source)
