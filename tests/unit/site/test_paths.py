"""The encoding of names: these are URLs that people link to, on every kind of disk."""

import re
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model.names import entry_name
from regista.site import paths
from support.site_crawl import RESERVED
from support.site_names import DIFFICULT

PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789-_."
# what could be mistaken for an escape, an ending, or a name that was cut
TRICKY = "aA0é/ .-_zZxX模\u0301"


def legal(text: str) -> str | None:
    try:
        return entry_name(text)
    except InvalidInputError:
        return None


def names(alphabet: st.SearchStrategy[str], longest: int = 255) -> st.SearchStrategy[str]:
    texts = st.text(alphabet, min_size=1, max_size=longest)
    return texts.map(legal).filter(bool).map(str)


LEGAL = st.one_of(
    names(st.characters(exclude_categories=("C", "Z", "S", "P"))),
    names(st.sampled_from(TRICKY)),
    names(st.sampled_from(PLAIN)),
    st.sampled_from([name for name in DIFFICULT if legal(name)]),
)


@given(LEGAL)
def test_a_path_component_is_safe_on_every_disk_and_in_every_url(name: str) -> None:
    text = paths.encode(name)
    assert re.fullmatch(r"[a-z0-9_.~-]{1,120}", text)
    assert not text.startswith(".")
    assert not text.endswith(".")
    assert text.partition(".")[0] not in RESERVED
    assert not text.startswith("~~")


@given(LEGAL, LEGAL)
def test_different_names_lie_apart(one: str, other: str) -> None:
    assert (paths.encode(one) == paths.encode(other)) == (one == other)


@given(st.lists(LEGAL, unique=True, max_size=40))
def test_many_names_lie_apart(many: list[str]) -> None:
    assert len({paths.encode(name) for name in many}) == len(many)


@given(names(st.sampled_from(PLAIN), 60))
@example("con")
@example("a.")
def test_names_that_differ_only_by_case_lie_apart(name: str) -> None:
    variants = {name, name.upper(), name.title(), name.swapcase()}
    encoded = {paths.encode(variant).casefold() for variant in variants}
    assert len(encoded) == len(variants)


def decoded(text: str) -> str:
    """Read a component that was not cut, by the rules of the module alone."""
    found = re.findall(r"~0([0-9a-f]+)~|~([a-z_-])|([a-z0-9_.-])", text)
    assert "".join(f"~0{h}~" if h else f"~{n}" if n else p for h, n, p in found) == text
    named = {"-": "/", "_": " "}
    return "".join(chr(int(h, 16)) if h else named.get(n, n.upper()) if n else p
                   for h, n, p in found)  # fmt: skip


@given(LEGAL)
def test_a_name_that_was_not_cut_can_be_read_back(name: str) -> None:
    text = paths.encode(name)
    if "~~" not in re.sub(r"~0[0-9a-f]+~", "?", text):
        assert decoded(text) == name


@given(st.integers(40, 60), st.sampled_from("éÄ模/ A."), st.integers(80, 250))
def test_a_cut_name_never_reads_as_another(at: int, char: str, length: int) -> None:
    """An encoding that is cut within an escape could go on as that of a name that was not."""
    name = legal(("a" * at + char + "b" * length)[:255])
    assert name
    text = paths.encode(name)
    if len(text) == 120 or "~~" not in text:
        return
    head, _, digest = text.rpartition("~~")
    assert digest == sha256(name.encode()).hexdigest()[:32]
    assert name.startswith(decoded(head))
    with pytest.raises(AssertionError):
        decoded(text)


def test_a_name_made_to_clash_with_one_that_is_cut_does_not() -> None:
    for number in range(64):
        long = f"{'a' * 56}é{'b' * 190}{number}"
        digest = sha256(long.encode()).hexdigest()[:32]
        short = f"{'a' * 56}é{digest[0].upper()}{digest[1:]}"
        assert paths.encode(long) != paths.encode(short)


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("fraud", "fraud"),
        ("fraud/card", "fraud~-card"),
        ("Fraud Detector", "~fraud~_~detector"),
        ("a_b-c.d", "a_b-c.d"),
        ("naïve-bayes", "na~0ef~ve-bayes"),
        ("模型", "~06a21~~0578b~"),
        ("𝒜", "~01d49c~"),
        ("con", "~063~on"),
        ("nul.txt", "~06e~ul.txt"),
        ("com0", "~063~om0"),
        ("CON", "~c~o~n"),
        ("aux/nul", "aux~-nul"),
        ("console", "console"),
        (".hidden", "~02e~hidden"),
        ("...", "~02e~.~02e~"),
        ("v1.", "v1~02e~"),
        ("com¹", "com~0b9~"),
        ("000123", "000123"),
        ("-", "-"),
        ("x" * 120, "x" * 120),
        ("x" * 121, "x" * 60 + "~~" + sha256(b"x" * 121).hexdigest()[:32]),
        ("X" * 121, "~x" * 30 + "~~" + sha256(b"X" * 121).hexdigest()[:32]),
        ("y" + "模" * 99, "y" + "~06a21~" * 8 + "~~"
         + sha256(("y" + "模" * 99).encode()).hexdigest()[:32]),
    ],
)  # fmt: skip
def test_addresses_stay_what_they_are(name: str, component: str) -> None:
    assert paths.encode(name) == component


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (paths.entry_page("a/b"), "entries/a~-b/index.html"),
        (paths.version_page("a/b", 7), "entries/a~-b/v/7.html"),
        (paths.versions_page("A", 2), "entries/~a/versions/2.html"),
        (paths.compare_page("a"), "entries/a/compare.html"),
        (paths.feed("a"), "entries/a/feed.xml"),
        (paths.badge("a", "Prod"), "badges/a/~prod.svg"),
        (paths.badge("a", "con"), "badges/a/~063~on.svg"),
        (paths.commit_link(1), "audit/1.html#c1"),
        (paths.commit_link(200), "audit/1.html#c200"),
        (paths.commit_link(201), "audit/2.html#c201"),
        (paths.root_of("index.html"), ""),
        (paths.root_of("entries/a/v/1.html"), "../../../"),
    ],
)
def test_pages_lie_where_they_lay(made: str, path: str) -> None:
    assert made == path
