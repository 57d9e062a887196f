"""What looks like a credential: patterns for texts that strangers give and that others may read.

They are precise rather than many: a false alarm stops a pipeline. Each is written so that Python
and RE2 (DuckDB's) read it alike. Sources: the issuers' own descriptions of their token formats.
"""

import re
from functools import cache

PATTERNS: dict[str, str] = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{60,})\b",
    "a GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "an API key of OpenAI or Anthropic": r"\bsk-(?:proj-|ant-)?[0-9A-Za-z_-]{20,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Hugging Face token": r"\bhf_[0-9A-Za-z]{30,}\b",
    "a PyPI token": r"\bpypi-[0-9A-Za-z_-]{50,}",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{20,}\b",
    "a JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[^-\"]*(?:-----END[A-Z ]*-----)?",
    "a password in an address": r"\b[a-z][a-z0-9+.-]{1,20}://[^/\s:@]+:[^/\s:@]{3,}@",
}
# names under which values are secrets, whatever they look like
NAMES = (
    r"(?i)(?:^|[_.-])(?:password|passwd|secret|api_?key|access_?key|private_?key|auth_?token"
    r"|access_?token|bearer)$"
)
EMAIL = r"([A-Za-z0-9._%+-]+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b"
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
