"""How long each stage took, for the report."""

from hybridgen.pipeline.stages import StageClock


class Told:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def module(self, path: str) -> None:
        self.words.append(path)

    def stage(self, text: str) -> None:
        self.words.append(text)

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        self.words.append(f"{done}/{total}")


def test_everything_is_passed_on() -> None:
    told = Told()
    clock = StageClock(told)
    clock.module("cart.py")
    clock.stage("asking the model about f")
    clock.advance(1, 2)
    clock.stop()
    assert told.words == ["cart.py", "asking the model about f", "1/2"]


def test_stages_are_told_in_order_and_questions_about_targets_are_one_stage() -> None:
    clock = StageClock(Told())
    for text in ("reading", "searching", "asking the model about f", "asking the model about g"):
        clock.stage(text)
    clock.stage("searching")
    clock.stop()
    assert list(clock.seconds) == ["reading", "searching", "asking the model"]
    assert all(seconds >= 0 for seconds in clock.seconds.values())


def test_no_stage_goes_on_after_the_stop() -> None:
    clock = StageClock(Told())
    clock.stage("reading")
    clock.stop()
    before = dict(clock.seconds)
    clock.stop()
    assert clock.seconds == before
