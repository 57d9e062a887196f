"""Escaping what templates show, at a tenth of the usual cost.

`markupsafe.escape` makes a `Markup` of every text, and a page has 200 of them that are only
joined. Here a text without special characters is shown as it is, and so is what was escaped
before; all else goes through `markupsafe.escape`. Jinja writes that call into the code that it
makes of a template; its code generator is told to write ours. (`jinja2.nativetypes` overrides the
same method. If a later Jinja calls it otherwise, its own call is written: slower, and as safe.)
"""

import re
from collections.abc import MutableMapping
from typing import Any

from jinja2 import Environment, Template
from jinja2.compiler import CodeGenerator
from markupsafe import Markup, escape

_SPECIAL = re.compile(r"[&<>'\"]").search


def escaped(value: object) -> str:
    """Return what a template shows, as HTML."""
    kind = type(value)
    if kind is str:
        return escape(value) if _SPECIAL(value) else value  # type: ignore[call-overload,return-value]
    return value if kind is Markup else escape(value)  # type: ignore[return-value]


class _Generator(CodeGenerator):
    def _output_child_pre(self, node, frame, finalize) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class EscapingEnvironment(Environment):
    """An environment whose templates escape by `escaped`.

    A template that was found stays, and has the globals that there were then.
    """

    code_generator_class = _Generator
    escaped = staticmethod(escaped)

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as Jinja's own
        super().__init__(**options)
        self._found: dict[str, Template] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - as Jinja's own
    ) -> Template:
        """Return a template; Jinja's own cache takes a lock and a weak reference each time."""
        if not isinstance(name, str):
            return name
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name, parent, globals)
        return found

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template, in a plain dict: each page makes a copy of them."""
        return {**self.globals, **(d or {})}
