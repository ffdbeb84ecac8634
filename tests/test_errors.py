"""Each exit code means one thing."""

from __future__ import annotations

from rollcall import errors


def test_every_error_class_stands_in_the_drawn_tree() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.RollcallError)
    ]
    drawn = errors.__doc__ or ""
    for cls in classes:
        line = next((line for line in drawn.splitlines() if f"{cls.__name__} " in line), "")
        assert f" {int(cls.exit_code)} " in line, cls.__name__
