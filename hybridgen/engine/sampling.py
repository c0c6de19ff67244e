"""How the next token is chosen: a chain of llama.cpp's samplers for each answer."""

from __future__ import annotations

from typing import Final

import llama_cpp

# Top-k comes first so that everything after it looks at 40 candidates, not at 152,000.
_TOP_K: Final = 40
_MIN_P: Final = 0.05
_PENALTY_WINDOW: Final = 64
_REPEAT_PENALTY: Final = 1.05


class Sampler:
    """A chain of its own: top-k, mild repeat penalty, min-p, temperature, seed.

    Args:
        context: llama.cpp's context, whose logits it looks at.
        vocabulary: how many tokens there are.
        temperature: 0 always takes the likeliest token.
        seed: equal seeds choose equally.
    """

    def __init__(self, context: int, vocabulary: int, *, temperature: float, seed: int) -> None:
        self._context = context
        self._chain = llama_cpp.llama_sampler_chain_init(
            llama_cpp.llama_sampler_chain_default_params()
        )
        steps = [
            llama_cpp.llama_sampler_init_top_k(_TOP_K),
            llama_cpp.llama_sampler_init_penalties(
                vocabulary, _PENALTY_WINDOW, _REPEAT_PENALTY, 0.0, 0.0
            ),
        ]
        if temperature > 0:
            steps += [
                llama_cpp.llama_sampler_init_min_p(_MIN_P, 1),
                llama_cpp.llama_sampler_init_temp(temperature),
                llama_cpp.llama_sampler_init_dist(seed & 0xFFFFFFFF),
            ]
        else:
            steps.append(llama_cpp.llama_sampler_init_greedy())
        for step in steps:
            llama_cpp.llama_sampler_chain_add(self._chain, step)

    def sample(self, row: int) -> int:
        """The next token, by the logits of a row of the last batch; -1 is its last row."""
        return int(llama_cpp.llama_sampler_sample(self._chain, self._context, row))

    def close(self) -> None:
        """Frees the chain."""
        llama_cpp.llama_sampler_free(self._chain)
