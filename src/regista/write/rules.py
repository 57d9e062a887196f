r"""The rules of `regista.model.names` as SQL, for columns with millions of strangers' texts.

Each function takes a column and returns a condition that is true where the text breaks the rule
and false where it keeps it; nulls are the caller's business. That they say what the Python
functions say is tested over all of Unicode.
"""

from regista.model.names import MAX_NAME, MAX_REASON, MAX_TAG_KEY, MAX_TAG_VALUE

NAMEABLE = f"1 to {MAX_NAME} characters on one line"

_BREAKS = r"\p{Cc}\x{2028}\x{2029}"


def no_identifier(column: str) -> str:
    """Return the condition that `names.identifier` refuses the text."""
    return (
        f"(length({column}) > {MAX_NAME} OR regexp_matches({column}, '[{_BREAKS}]')"
        rf" OR regexp_full_match({column}, '\p{{Z}}*'))"
    )


def no_plain_text(column: str, limit: int = MAX_REASON) -> str:
    """Return the condition that `names.plain_text` refuses the text."""
    return rf"(length({column}) > {limit} OR regexp_matches({column}, '[^\P{{Cc}}\n\t\r]'))"


def no_tag_key(column: str) -> str:
    """Return the condition that `names.tag_key` refuses the text."""
    return (
        f"(length({column}) NOT BETWEEN 1 AND {MAX_TAG_KEY}"
        f" OR regexp_matches({column}, '[{_BREAKS}]'))"
    )


def no_tag_value(column: str) -> str:
    """Return the condition that `names.tag_value` refuses the text."""
    return no_plain_text(column, MAX_TAG_VALUE)


def no_label(column: str) -> str:
    """Return the condition that `names.label` refuses the text."""
    return (
        f"({column} = 'latest' OR regexp_full_match({column}, '[0-9]+')"
        f" OR NOT regexp_full_match({column}, '[A-Za-z0-9][A-Za-z0-9._+-]{{0,254}}'))"
    )


def no_sha256(column: str) -> str:
    """Return the condition that the text is not a SHA-256 in lower case."""
    return f"(NOT regexp_full_match({column}, '[0-9a-f]{{64}}'))"


def no_uri(column: str) -> str:
    """Return the condition that the text cannot be a manifest's URI."""
    return (
        f"(length({column}) NOT BETWEEN 1 AND {MAX_REASON}"
        rf" OR regexp_matches({column}, '[\p{{Cc}}\p{{Zl}}\p{{Zp}}]'))"
    )


def no_pairs(column: str) -> str:
    """Return the condition that the text is no JSON object of tag keys to tag values."""
    keys, value = f"json_keys({column})", "(v->>'$')"
    return (
        f"(CASE WHEN NOT json_valid({column}) THEN true"
        f" WHEN json_type({column}) <> 'OBJECT' THEN true"
        f" WHEN len({keys}) <> len(list_distinct({keys})) THEN true"
        f" WHEN len(list_filter({keys}, lambda k: {no_tag_key('k')})) > 0 THEN true"
        f" ELSE len(list_filter(json_extract({column}, '$.*'), lambda v:"
        f" json_type(v) <> 'VARCHAR' OR {no_tag_value(value)})) > 0 END)"
    )
