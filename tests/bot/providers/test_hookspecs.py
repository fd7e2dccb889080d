"""The two hooks, as plugins see them."""

import inspect

import pluggy

from bot.providers import hookspecs


def specs() -> dict[str, object]:
    hooks = pluggy.PluginManager(hookspecs.GROUP)
    hooks.add_hookspecs(hookspecs)
    return {name: hook for name, hook in vars(hooks.hook).items() if not name.startswith("_")}


def test_there_are_two_hooks() -> None:
    """A third one is resisted."""
    assert set(specs()) == {"register_providers", "job_changed"}


def test_each_hook_says_what_it_is_for_and_how_answers_combine() -> None:
    """A plugin's author reads one sentence."""
    for name in specs():
        said = inspect.getdoc(getattr(hookspecs, name)) or ""
        assert said.endswith(".")
        assert "\n" not in said


def test_every_argument_and_answer_has_a_type() -> None:
    """The signature is the documentation."""
    for name in specs():
        annotations = inspect.get_annotations(getattr(hookspecs, name))
        wanted = {*inspect.signature(getattr(hookspecs, name)).parameters, "return"}
        assert set(annotations) == wanted


def test_no_hook_stops_at_a_first_result() -> None:
    """An asynchronous one would stop at the wrong plugin: a coroutine is never None."""
    assert not any(hook.spec.opts.get("firstresult") for hook in specs().values())  # type: ignore[attr-defined]
