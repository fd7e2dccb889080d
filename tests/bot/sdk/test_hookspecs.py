"""The hook specifications."""

import inspect

import pluggy

from bot.sdk import hookspecs


def specs() -> dict[str, object]:
    hooks = pluggy.PluginManager(hookspecs.GROUP)
    hooks.add_hookspecs(hookspecs)
    return {name: hook for name, hook in vars(hooks.hook).items() if not name.startswith("_")}


def test_there_are_two_hooks() -> None:
    """A new hook must be added here on purpose."""
    assert set(specs()) == {"register_providers", "job_changed"}


def test_each_hook_has_a_docstring_of_one_line() -> None:
    """It is one sentence."""
    for name in specs():
        docstring = inspect.getdoc(getattr(hookspecs, name)) or ""
        assert docstring.endswith(".")
        assert "\n" not in docstring


def test_each_hook_is_fully_annotated() -> None:
    """Every argument and the result have a type."""
    for name in specs():
        annotations = inspect.get_annotations(getattr(hookspecs, name))
        expected = {*inspect.signature(getattr(hookspecs, name)).parameters, "return"}
        assert set(annotations) == expected


def test_no_hook_stops_at_a_first_result() -> None:
    """An async hook would stop at the first plugin: a coroutine is never None."""
    assert not any(hook.spec.opts.get("firstresult") for hook in specs().values())  # type: ignore[attr-defined]
