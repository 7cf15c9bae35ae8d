"""Checks of option values that several commands take, refused with a word on what they must be."""

from __future__ import annotations

import threading

import click


def assignments(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """NAME=VALUE each, as in the environment of a program."""
    for value in values:
        name, equals, _ = value.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE")
    return values


def seconds(_ctx: click.Context, _param: click.Parameter, value: float | None) -> float | None:
    """A stretch of time that a thread can wait for."""
    if value is not None and not 0 < value <= threading.TIMEOUT_MAX:
        longest = f"{threading.TIMEOUT_MAX:.0f}"
        raise click.BadParameter(f"{value} is not in the range 0<x<={longest}")
    return value
