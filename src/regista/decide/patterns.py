"""Name patterns of a policy: `*` is any text, also with `/`; `?` is one character.

Nothing else is special, and case counts. The matcher never backtracks further than the last `*`,
so its time is at most the product of both lengths: a hostile pattern cannot stall a decision.
"""


def matches(pattern: str, name: str) -> bool:
    """Say whether the pattern covers the whole name."""
    at_pattern = at_name = 0
    star = resume = -1
    while at_name < len(name):
        if at_pattern < len(pattern) and pattern[at_pattern] == "*":
            star, resume = at_pattern, at_name
            at_pattern += 1
        elif at_pattern < len(pattern) and pattern[at_pattern] in ("?", name[at_name]):
            at_pattern += 1
            at_name += 1
        elif star >= 0:
            # let the last star take one more character; earlier stars never need to
            resume += 1
            at_pattern, at_name = star + 1, resume
        else:
            return False
    return not pattern[at_pattern:].strip("*")
