from __future__ import annotations

import pytest

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal, SettingsError
from hybridgen.route import choose_route


@pytest.mark.parametrize("label", list(Label))
def test_this_machine_may_read_everything(label) -> None:
    route = choose_route(label, "local")
    assert route.backend == "local"
    assert label.name.lower() in route.why


@pytest.mark.parametrize("label", [Label.INTERNAL, Label.CONFIDENTIAL])
def test_code_that_is_not_public_never_goes_to_gemini(label) -> None:
    with pytest.raises(PolicyRefusal) as caught:
        choose_route(label, "gemini")
    assert caught.value.exit_code == 4
    assert label.name.lower() in caught.value.message
    assert "--backend local" in (caught.value.hint or "")


def test_public_code_may_go_to_gemini() -> None:
    assert choose_route(Label.PUBLIC, "gemini").backend == "gemini"


@pytest.mark.parametrize("backend", ["", "Local", "openai"])
def test_unknown_backend_is_a_settings_error(backend) -> None:
    with pytest.raises(SettingsError, match="local or gemini"):
        choose_route(Label.PUBLIC, backend)
