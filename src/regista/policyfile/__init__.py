"""Reading files that people write in YAML: the policy, and lists of operations.

The YAML reader takes a small, safe part of YAML and remembers where everything stood. Loading a
policy is reading, checking (`regista.decide.policy_check`) and gathering the files that it names.
Nothing here decides anything, and nothing here is needed once a policy is in the registry.
"""

from regista.policyfile.loading import (
    default_policy,
    files_beside,
    lint,
    load_policy,
    read_policy,
    starter_policy,
    starter_text,
)
from regista.policyfile.yaml_reader import load_yaml

__all__ = [
    "default_policy",
    "files_beside",
    "lint",
    "load_policy",
    "load_yaml",
    "read_policy",
    "starter_policy",
    "starter_text",
]
