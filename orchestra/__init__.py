"""Terraform for background work on Postgres and Supabase.

    spec = orchestra.load("orchestra.yaml")          # SpecError where it cannot be read
    findings = orchestra.check(spec)
    program = orchestra.compile(spec)
    with orchestra.connect(url) as connection:
        plan = orchestra.plan(connection, program)
        orchestra.apply(connection, plan)

Every name loads what it needs when it is first used, so that `import orchestra` costs next to nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from orchestra.version import __version__

if TYPE_CHECKING:
    from orchestra.library import apply, check, compile, connect, emit_functions, load, plan
    from orchestra.pipeline import PlanOptions

__all__ = [
    "PlanOptions",
    "__version__",
    "apply",
    "check",
    "compile",
    "connect",
    "emit_functions",
    "load",
    "plan",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'orchestra' has no attribute {name!r}")
    from orchestra import library

    return getattr(library, name)


class _Room(ModuleType):
    """A room that shares its name with a public function, such as `orchestra.plan`: calling it calls that."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        from orchestra import library

        return getattr(library, self.__name__.rpartition(".")[2])(*args, **options)


class _Package(ModuleType):
    """The import system binds every room to its name here once it is imported; those above become callable
    then.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in __all__ and type(value) is ModuleType:
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
