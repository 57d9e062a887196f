"""The table of commands: where each lives, and the one line that help says of it.

It is all that `regista --help` needs, so that help imports no command. The first sentence of a
command's own help is the line given here; a test keeps the two equal.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives and how it is listed.

    Attributes:
        module: its module, below `regista.cli.verbs`.
        attribute: the click command in it.
        help: one line.
        section: the heading that it stands under.
    """

    module: str
    attribute: str
    help: str
    section: str


START = "Start"
VERSIONS = "Register and evaluate"
STAGES = "Move between stages"
LOOK = "Look"
DESCRIBE = "Describe and retire"
KEEP = "Keep"

SECTIONS = (START, VERSIONS, STAGES, LOOK, DESCRIBE, KEEP)

GROUPS: dict[str, Entry] = {
    "eval": Entry("", "", "Log, show and compare evaluation runs.", VERSIONS),
    "policy": Entry("", "", "Show, check and change the policy in force.", STAGES),
}

COMMANDS: dict[str, Entry] = {
    "init": Entry("starting", "init", "Make a registry, with a policy.", START),
    "create": Entry("starting", "create", "Make an entry without versions.", START),
    "import": Entry("bulk", "import_", "Bring in many entries and versions at once.", START),
    "apply": Entry("bulk", "apply", "Run a list of operations as one commit.", START),
    "completion": Entry("completion", "completion", "Print the completion script of a shell.",
                        START),
    "register": Entry("registering", "register", "Add a version with its artifacts.", VERSIONS),
    "eval log": Entry("evals", "log", "Add an evaluation run of a version.", VERSIONS),
    "eval show": Entry("evals", "show", "Show the scores of a version's latest runs.", VERSIONS),
    "eval compare": Entry("evals", "compare", "Compare the scores of two versions.", VERSIONS),
    "eval history": Entry("evals", "history", "Show how a metric changed over versions.",
                          VERSIONS),
    "check": Entry("placing", "check", "Say whether a version would pass the gates of a stage.",
                   STAGES),
    "promote": Entry("placing", "promote", "Ask for a stage: the gates decide, then it moves.",
                     STAGES),
    "rollback": Entry("placing", "rollback", "Restore what a stage held before.", STAGES),
    "drill": Entry("placing", "drill", "Rehearse a rollback; nothing moves.", STAGES),
    "demote": Entry("placing", "demote", "Empty a stage.", STAGES),
    "policy show": Entry("policies", "show", "Show the policy in force.", STAGES),
    "policy apply": Entry("policies", "apply", "Put a policy file in force.", STAGES),
    "policy lint": Entry("policies", "lint", "Check a policy file without applying it.", STAGES),
    "resolve": Entry("resolving", "resolve", "Print the version number that a selector names.",
                     LOOK),
    "list": Entry("looking", "list_", "List the entries and what their stages hold.", LOOK),
    "show": Entry("showing", "show", "Show all that is known of an entry or a version.", LOOK),
    "history": Entry("looking", "history", "Show what happened to an entry, or to all.", LOOK),
    "log": Entry("looking", "log", "Show the newest commits.", LOOK),
    "diff": Entry("comparing", "diff", "Show what differs between two versions.", LOOK),
    "get": Entry("getting", "get", "Download a version's artifacts, checking every digest.",
                 LOOK),
    "sql": Entry("querying", "sql", "Query the registry with SQL.", LOOK),
    "tables": Entry("querying", "tables", "List the tables and their columns.", LOOK),
    "alias": Entry("describing", "alias", "Point an alias at a version, or remove it.",
                   DESCRIBE),
    "tag": Entry("describing", "tag", "Set and remove tags.", DESCRIBE),
    "describe": Entry("describing", "describe", "Set the description of an entry or a version.",
                      DESCRIBE),
    "rename": Entry("describing", "rename", "Give an entry another name.", DESCRIBE),
    "deprecate": Entry("statuses", "deprecate", "Warn off a version; it still resolves.",
                       DESCRIBE),
    "restore": Entry("statuses", "restore", "Make a deprecated or archived version active again.",
                     DESCRIBE),
    "archive": Entry("statuses", "archive", "Take a version out of use.", DESCRIBE),
    "delete": Entry("statuses", "delete", "Leave a tombstone of a version.", DESCRIBE),
    "verify": Entry("keeping", "verify", "Replay everything and name every problem.", KEEP),
    "doctor": Entry("keeping", "doctor", "Look for what is wrong with the setup.", KEEP),
    "rebuild": Entry("keeping", "rebuild", "Make tables and checkpoints again from the log.",
                     KEEP),
    "compact": Entry("keeping", "compact", "Merge small table files now.", KEEP),
    "gc": Entry("keeping", "gc", "Remove what nothing refers to any more.", KEEP),
}
