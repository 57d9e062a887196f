"""The generated parts of the policy reference, in Markdown, by the name of their place in it.

`docs/policy.md` has a pair of markers for each: `<!-- generated: NAME -->` and
`<!-- end generated -->`.
"""

from regista.decide.gates.describing import reference, table
from regista.decide.policy_fields import MATCH_FIELDS, POLICY_FIELDS, RULE_FIELDS


def generated_parts() -> dict[str, str]:
    """Return the text of each generated part, ending in a line break."""
    return {
        "policy fields": table(POLICY_FIELDS),
        "rule fields": table(RULE_FIELDS),
        "match fields": table(MATCH_FIELDS),
        "gate kinds": reference(),
    }
