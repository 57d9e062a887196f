import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.storage.remote.clouds import CLOUDS
from regista.storage.remote.location import Location

segments = st.text(st.sampled_from("ab0-._=+Z"), min_size=1, max_size=4).filter(
    lambda text: text not in {".", ".."}
)


@given(
    scheme=st.sampled_from(sorted(CLOUDS)), bucket=st.sampled_from(["abc", "my-bucket.x", "a1b"]),
    prefix=st.lists(segments, max_size=3).map("/".join),
)  # fmt: skip
def test_parse_and_str_are_inverses(scheme: str, bucket: str, prefix: str) -> None:
    rest = f"{bucket}/{prefix}" if prefix else bucket
    where = Location.parse(scheme, rest)
    assert (where.cloud.scheme, where.bucket, where.prefix) == (scheme, bucket, prefix)
    assert str(where) == f"{scheme}://{rest}"


@pytest.mark.parametrize("rest", ["bucket/", "bucket/a/b/", "bucket//a/b"])
def test_slashes_at_the_ends_of_a_prefix_mean_nothing(rest: str) -> None:
    assert Location.parse("s3", rest).prefix in {"", "a/b"}


@pytest.mark.parametrize("rest", ["", "/", "ab", "-bucket", "buck et", "b/p", "büc", "a" * 300])
def test_what_is_no_bucket_is_refused(rest: str) -> None:
    with pytest.raises(InvalidInputError, match="does not name a bucket") as caught:
        Location.parse("s3", rest)
    assert caught.value.hint == "write s3://BUCKET/PREFIX"


@pytest.mark.parametrize(
    "prefix", ["a//b", "..", "a/../b", "a/./b", "a b", "é", "a\n", "a%2Fb", "#"]
)
def test_what_no_key_can_begin_with_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidInputError, match="prefix"):
        Location.parse("gs", f"bucket/{prefix}")
