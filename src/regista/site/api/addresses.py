"""Where each document of the JSON API lies, and how documents name each other: relatively.

Names of entries, stages and aliases become one path component, as in `regista.site.paths`. All of
an entry lies in its folder: a file `<name>.json` beside it could be another entry's folder.
"""

from regista.site.paths import encode

API = "api/v1"
INDEX = f"{API}/index.json"
EVENTS = f"{API}/events.json"
POLICY = f"{API}/policy.json"
DRILLS = f"{API}/drills.json"
_DEPTH = API.count("/") + 1


def index_page(page: int) -> str:
    """Return the path of a page of the index, counted from 1."""
    return INDEX if page == 1 else f"{API}/index-{page}.json"


def folder_of(name: str) -> str:
    """Return the folder of an entry's documents."""
    return f"{API}/entries/{encode(name)}"


def entry(name: str) -> str:
    """Return the path of an entry's document."""
    return f"{folder_of(name)}/index.json"


def version(name: str, number: int) -> str:
    """Return the path of a version's document."""
    return f"{folder_of(name)}/versions/{number}.json"


def stage_of(name: str, stage: str) -> str:
    """Return the path of the document that says what a stage of an entry holds."""
    return f"{folder_of(name)}/stages/{encode(stage)}.json"


def alias_of(name: str, alias: str) -> str:
    """Return the path of the document that says what an alias of an entry names."""
    return f"{folder_of(name)}/aliases/{encode(alias)}.json"


def stage(name: str) -> str:
    """Return the path of the list of all entries that hold something in a stage."""
    return f"{API}/stages/{encode(name)}.json"


def schema(kind: str) -> str:
    """Return the path of the schema of a kind of document."""
    return f"{API}/schemas/{kind}.json"


def up(path: str) -> str:
    """Return the relative prefix from a document to the folder of the API."""
    return "../" * (path.count("/") - _DEPTH)


def within(path: str) -> str:
    """Return a document's path from the folder of the API on."""
    return path.removeprefix(f"{API}/")
