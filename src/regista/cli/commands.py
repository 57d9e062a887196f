"""The table of commands: where each lives, and the one line that help says of it.

It is all that `regista --help` needs, so that help imports no command. An entry is (module below
`regista.cli.verbs`, name of the click command in it, one line of help, section); plain tuples, as
they cost nothing to import. The first line of a command's own help is the line given here; a test
keeps the two equal.
"""

Entry = tuple[str, str, str, str]

START = "Start"
VERSIONS = "Register and evaluate"
STAGES = "Move between stages"
LOOK = "Look"
DESCRIBE = "Describe and retire"
KEEP = "Keep"

SECTIONS = (START, VERSIONS, STAGES, LOOK, DESCRIBE, KEEP)

GROUPS: dict[str, Entry] = {
    "eval": ("", "", "Log, show and compare evaluation runs.", VERSIONS),
    "policy": ("", "", "Show, check and change the policy in force.", STAGES),
    "site": ("", "", "Build and show the registry as a static site.", LOOK),
    "hooks": ("", "", "Show, run and test lifecycle hooks.", KEEP),
}

COMMANDS: dict[str, Entry] = {
    "init": ("starting", "init", "Make a registry, with a policy.", START),
    "create": ("starting", "create", "Make an entry without versions.", START),
    "import": (
        "moving",
        "import_",
        "Bring in many entries and versions at once, or a whole registry.",
        START,
    ),
    "apply": ("bulk", "apply", "Run a list of operations as one commit.", START),
    "completion": ("completion", "completion", "Print the completion script of a shell.", START),
    "register": ("registering", "register", "Add a version with its artifacts.", VERSIONS),
    "eval log": ("evals", "log", "Add an evaluation run of a version.", VERSIONS),
    "eval show": ("evals", "show", "Show the scores of a version's latest runs.", VERSIONS),
    "eval samples": ("evalviews", "samples", "Show results on single examples.", VERSIONS),
    "eval compare": ("evalviews", "compare", "Compare the scores of two versions.", VERSIONS),
    "eval history": ("evalviews", "history", "Show how a metric changed over versions.", VERSIONS),
    "eval leaderboard": ("evalviews", "leaderboard", "Rank entries by their scores.", VERSIONS),
    "check": ("placing", "check", "Say whether a version would pass the gates of a stage.", STAGES),
    "promote": ("placing", "promote", "Ask for a stage: the gates decide, then it moves.", STAGES),
    "rollback": ("placing", "rollback", "Restore what a stage held before.", STAGES),
    "drill": ("placing", "drill", "Rehearse a rollback; nothing moves.", STAGES),
    "approve": ("signing", "approve", "Say yes to a version for a stage.", STAGES),
    "waive": (
        "signing",
        "waive",
        "Except a version from one gate of a stage, for a time.",
        STAGES,
    ),
    "demote": ("placing", "demote", "Empty a stage.", STAGES),
    "policy show": ("policies", "show", "Show the policy in force, or one to start from.", STAGES),
    "policy apply": ("policies", "apply", "Put a policy file in force.", STAGES),
    "policy approve": ("policies", "approve", "Say yes to a policy file.", STAGES),
    "policy test": ("policy_tools", "test", "Run the tests of a policy.", STAGES),
    "policy diff": ("policy_tools", "diff", "Show what a policy changes, and loosens.", STAGES),
    "policy backtest": (
        "policy_tools",
        "backtest",
        "Judge all past promotions by another policy.",
        STAGES,
    ),
    "policy lint": ("policies", "lint", "Check a policy file without applying it.", STAGES),
    "resolve": ("resolving", "resolve", "Print the version number that a selector names.", LOOK),
    "list": ("looking", "list_", "List the entries and what their stages hold.", LOOK),
    "show": ("showing", "show", "Show all that is known of an entry or a version.", LOOK),
    "history": ("looking", "history", "Show what happened to an entry, or to all.", LOOK),
    "log": ("looking", "log", "Show the newest commits.", LOOK),
    "diff": ("comparing", "diff", "Show what differs between two versions.", LOOK),
    "get": ("getting", "get", "Download a version's artifacts, checking every digest.", LOOK),
    "sql": ("querying", "sql", "Query the registry with SQL.", LOOK),
    "tables": ("querying", "tables", "List the tables and their columns.", LOOK),
    "site build": ("site", "build", "Build the site of the registry.", LOOK),
    "site serve": (
        "site",
        "serve",
        "Build the site, show it on this computer, and follow changes.",
        LOOK,
    ),
    "alias": ("describing", "alias", "Point an alias at a version, or remove it.", DESCRIBE),
    "tag": ("describing", "tag", "Set and remove tags.", DESCRIBE),
    "describe": (
        "describing",
        "describe",
        "Set the description of an entry or a version.",
        DESCRIBE,
    ),
    "rename": ("describing", "rename", "Give an entry another name.", DESCRIBE),
    "deprecate": ("statuses", "deprecate", "Warn off a version; it still resolves.", DESCRIBE),
    "restore": (
        "statuses",
        "restore",
        "Make a deprecated or archived version active again.",
        DESCRIBE,
    ),
    "archive": ("statuses", "archive", "Take a version out of use.", DESCRIBE),
    "delete": ("statuses", "delete", "Leave a tombstone of a version.", DESCRIBE),
    "verify": ("keeping", "verify", "Replay everything and name every problem.", KEEP),
    "doctor": ("keeping", "doctor", "Look for what is wrong with the setup.", KEEP),
    "rebuild": ("keeping", "rebuild", "Make tables and checkpoints again from the log.", KEEP),
    "compact": ("keeping", "compact", "Merge small table files now.", KEEP),
    "export": ("moving", "export", "Write a whole registry to one file.", KEEP),
    "mirror": ("moving", "mirror", "Bring a copy of a registry up to date.", KEEP),
    "gc": ("keeping", "gc", "Remove what nothing refers to any more.", KEEP),
    "hooks list": ("hooking", "list_", "Show the hooks, and what waits for each.", KEEP),
    "hooks run": ("hooking", "run", "Deliver what waits for post-hooks.", KEEP),
    "hooks test": ("hooking", "test", "Send a hook a sample, or a past event.", KEEP),
    "hooks skip": ("hooking", "skip", "Pass over what waits for a hook, for good.", KEEP),
}
