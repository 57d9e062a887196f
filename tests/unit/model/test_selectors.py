"""Selectors: everything that can stand after an @, and its one way of being written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model.selectors import MAX_NUMBER, Selector, VersionRef

slugs = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
labels = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,20}", fullmatch=True)
digests = st.from_regex(r"[0-9a-f]{8,64}", fullmatch=True)
backs = st.integers(0, 999_999)
hostile = st.text(max_size=20) | st.text("aP1~:@.sha256stageliblo \x00\u0661\ud800", max_size=16)
valid = st.one_of(
    st.integers(1, MAX_NUMBER).map(str),
    st.just("latest"),
    digests.map("sha256:{}".format),
    st.builds("stage:{}~{}".format, slugs, backs),
    slugs.map("alias:{}".format),
    labels.map("label:{}".format),
    labels.filter(lambda text: not text.isdigit()),
)


@given(valid)
def test_a_selector_is_read_back_from_its_text(text: str) -> None:
    selector = Selector.parse(text)
    assert Selector.parse(str(selector)) == selector


@given(hostile)
def test_whatever_is_taken_is_read_back_from_its_text(text: str) -> None:
    try:
        selector = Selector.parse(text)
    except InvalidInputError as error:
        assert error.message.isprintable()
        assert len(error.message) < 500
        return
    assert Selector.parse(str(selector)) == selector


@given(hostile, hostile)
def test_whatever_reference_is_taken_is_read_back_from_its_text(name: str, selector: str) -> None:
    try:
        ref = VersionRef.parse(f"{name}@{selector}")
    except InvalidInputError as error:
        assert error.message.isprintable()
        assert error.hint.isprintable()
        return
    assert VersionRef.parse(str(ref)) == ref


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("12", Selector("number", "12")),
        ("0012", Selector("number", "12")),
        ("latest", Selector("latest", "")),
        ("prod", Selector("any", "prod")),
        ("1.4.2", Selector("any", "1.4.2")),
        ("prod~1", Selector("any", "prod", 1)),
        ("prod~0", Selector("any", "prod", 0)),
        ("stage:prod", Selector("stage", "prod")),
        ("stage:prod~12", Selector("stage", "prod", 12)),
        ("stage:12", Selector("stage", "12")),
        ("alias:champion", Selector("alias", "champion")),
        ("label:1.4.2", Selector("label", "1.4.2")),
        ("label:12", Selector("label", "12")),
        ("sha256:" + "0a" * 4, Selector("digest", "0a0a0a0a")),
        ("sha256:" + "0a" * 32, Selector("digest", "0a" * 32)),
    ],
)
def test_selectors_as_people_write_them(text: str, selector: Selector) -> None:
    assert Selector.parse(text) == selector


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        str(MAX_NUMBER + 1),
        "9" * 5000,
        "prod~1~0",
        "prod~1~2",
        "prod~",
        "prod~x",
        "~1",
        "12~1",
        "latest~1",
        "alias:champion~1",
        "label:1.4.2~1",
        "sha256:0a0a0a0a~1",
        "sha256:",
        "sha256:0a0a0a0",
        "sha256:0A0A0A0A",
        "sha256:" + "0" * 65,
        "sha256:xyzxyzxy",
        "stage:",
        "alias: ",
        "version:1",
        ":prod",
        "a b",
        "prod@1",
        "pr\nod",
        "pr\x00od",
        "x" * 256,
        "\u0661",
        "prod~\u0661",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_no_selector_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Selector.parse(text)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "text", ["", "fraud", "@", "fraud@", "@prod", "a/../b@1", "fraud@card@1", "x\ny", "x" * 10_000]
)
def test_what_is_no_reference_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        VersionRef.parse(text)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) + len(caught.value.hint) < 500
    assert caught.value.hint.isprintable()
