"""Chat templates, rendered so that text of a project can never become a control token.

The template is Jinja source from the model file or its manifest. It is rendered with unique
placeholders where the messages' content goes, and the result is split at them: only what the
template itself wrote is tokenized with special tokens on.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from hybridgen.engine.bounds import TooMuchError, bounded

_LONGEST_ERROR = 300
_LONGEST_FRAME = 100_000  # characters around the messages; templates write some hundred


class ChatTemplateError(Exception):
    """The chat template is missing, broken, or does not place every message once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a rendered prompt.

    Attributes:
        is_template: control tokens count.
        is_shared: other prompts may begin with it: all before the last piece of the user's message.
    """

    text: str
    is_template: bool
    is_shared: bool


class ChatTemplate:
    """A compiled chat template.

    Args:
        source: its Jinja source.
        bos: text of the model's begin-of-sequence token.
        eos: text of the model's end-of-sequence token.

    Raises:
        ChatTemplateError: it cannot be compiled, or fails on a plain conversation.
    """

    def __init__(self, source: str, *, bos: str, eos: str) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # a prompt is not HTML
            extensions=["jinja2.ext.loopcontrols"],
        )
        environment.globals.update(bos_token=bos, eos_token=eos, raise_exception=_raise)
        # Jinja computes what is constant while it compiles, and Python refuses some of what Jinja
        # makes of deep nesting.
        with _refusing("it is not a Jinja template"), bounded():
            self._template = environment.from_string(source)
        self.pieces("system", ("user",), "answer")

    def pieces(self, system: str, user: Sequence[str], answer_start: str) -> list[Piece]:
        """The prompt in order: template parts, and the content between them.

        A template without a place for a system message gets it at the head of the user's.

        Raises:
            ChatTemplateError: it fails, takes too long or up too much, or does not place every
                message once.
        """
        with _refusing("it fails on a plain conversation"), bounded():
            try:
                return self._pieces([("system", (system,)), ("user", user)], answer_start)
            except Exception:
                return self._pieces([("user", (f"{system}\n\n", *user))], answer_start)

    def _pieces(
        self, messages: Sequence[tuple[str, Sequence[str]]], answer_start: str
    ) -> list[Piece]:
        content = [text for _, texts in messages for text in texts]
        marks = [f"content{secrets.token_hex(12)}" for _ in content]
        unused = iter(marks)
        rendered = self._template.render(
            messages=[
                {"role": role, "content": "".join(next(unused) for _ in texts)}
                for role, texts in messages
            ],
            add_generation_prompt=True,
        )
        if len(rendered) > _LONGEST_FRAME:
            raise ChatTemplateError("it writes too much around the messages")
        split = re.split(f"({'|'.join(marks)})", rendered)
        if split[1::2] != marks:
            raise ChatTemplateError("it does not place every message exactly once, in order")
        last = len(split) - 2
        pieces = [
            Piece(content[index // 2] if index % 2 else text, index % 2 == 0, index < last)
            for index, text in enumerate(split)
        ]
        pieces.append(Piece(answer_start, is_template=False, is_shared=False))
        return [piece for piece in pieces if piece.text]


@contextlib.contextmanager
def _refusing(what: str) -> Iterator[None]:
    """The template is foreign code in a sandbox: whatever it raises is its own failure."""
    try:
        yield
    except ChatTemplateError:
        raise
    except TooMuchError as error:
        raise ChatTemplateError("it takes too long") from error
    except MemoryError as error:
        raise ChatTemplateError("it takes up too much") from error
    except Exception as error:
        raise ChatTemplateError(f"{what}: {error}"[:_LONGEST_ERROR]) from error


def _raise(message: str) -> NoReturn:
    """What templates call to refuse a conversation."""
    raise ValueError(message)
