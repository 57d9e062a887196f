"""What looks like a credential: patterns for texts that strangers give and that others may read.

They are precise rather than many: a false alarm stops a pipeline. Each is written so that Python
and RE2 (DuckDB's) read it alike, and takes linear time. Sources: the issuers' own descriptions of
their token formats.
"""

import re
from functools import cache

# the start of a word, also after a line break as JSON and source code write it
_START = r"(?:\b|\\[nrt])"
PATTERNS: dict[str, str] = {
    "an AWS access key": rf"{_START}(?:AKIA|ASIA)[0-9A-Z]{{16}}\b",
    "a GitHub token": rf"{_START}(?:gh[pousr]_[0-9A-Za-z]{{36,}}|github_pat_[0-9A-Za-z_]{{60,}})",
    "a GitLab token": rf"{_START}glpat-[0-9A-Za-z_-]{{20,}}",
    "a Slack token": rf"{_START}xox[abeoprs]-[0-9A-Za-z-]{{10,}}",
    "an API key of OpenAI or Anthropic": rf"{_START}sk-(?:proj-|ant-)?[0-9A-Za-z_-]{{20,}}",
    "a Google API key": rf"{_START}AIza[0-9A-Za-z_-]{{35}}",
    "a Hugging Face token": rf"{_START}hf_[0-9A-Za-z]{{30,}}",
    "a PyPI token": rf"{_START}pypi-[0-9A-Za-z_-]{{50,}}",
    "a Stripe key": rf"{_START}[rs]k_live_[0-9A-Za-z]{{20,}}",
    "a JSON web token": (
        rf"{_START}eyJ[0-9A-Za-z_-]{{10,}}\.eyJ[0-9A-Za-z_-]{{10,}}\.[0-9A-Za-z_-]{{10,}}"
    ),
    # with its headers and its line breaks, whichever way they are written
    "a private key": (
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:-{0,4}[A-Za-z0-9+/=:,.@_()\s\\])*(?:-----END[A-Z0-9 ]*-----)?"
    ),
    # of some services the user is empty
    "a password in an address": r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^/\s:@]*:[^/\s]{3,}@",
}
# names under which values are secrets, whatever they look like
NAMES = (
    r"(?i)(?:^|[_.-])(?:password|passwd|secret|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|auth[_-]?token|access[_-]?token|bearer)$"
)
# a domain may be written in any script
_LETTERS = "A-Za-z\u0080-\U0010ffff"
EMAIL = rf"([A-Za-z0-9._%+-]+)@[{_LETTERS}0-9-]+(?:\.[{_LETTERS}0-9-]+)*\.[{_LETTERS}]{{2,}}"
# a text without any of these matches none of the patterns
_SIGNS = (
    "AKIA", "ASIA", "gh", "glpat-", "xox", "sk-", "AIza", "hf_", "pypi-", "k_live_", "eyJ",
    "PRIVATE KEY", "://", "@",
)  # fmt: skip


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def find_secret(name: str, value: str) -> str | None:
    """Return what a named value looks like, such as `a GitHub token`; None when harmless."""
    if value and _compiled(NAMES).search(name):
        return "a credential, by its name"
    return next(
        (what for what, pattern in PATTERNS.items() if _compiled(pattern).search(value)), None
    )


def all_patterns() -> str:
    """Return one pattern that matches whatever any of `PATTERNS` matches."""
    return "|".join(f"(?:{pattern})" for pattern in PATTERNS.values())


def may_have_any(text: str) -> bool:
    """Say whether a text may hold a secret or an e-mail address; a quick look, never a false no."""
    return any(sign in text for sign in _SIGNS)


def any_sign() -> str:
    """Return a pattern that finds something in a text of which `may_have_any` says yes."""
    return "|".join(map(re.escape, _SIGNS))
