"""People: actors are compared without regard to case, in one normal form."""

from regista.decide.people import is_member, members, person

GROUPS = {"risk": ("Ann", "bob"), "leads": ("ANN", "lea")}


def test_one_person_however_spelt() -> None:
    assert person("Ann") == person("aNN")
    assert person("Zoe\u0308") == person("zo\u00eb")
    assert person("STRASSE") == person("straße")
    assert person("ann") != person("anna")


def test_members_of_several_groups_are_listed_once_as_first_spelt() -> None:
    assert members(GROUPS, ["risk", "leads", "nobody"]) == ("Ann", "bob", "lea")
    assert is_member(GROUPS, ["leads"], "Lea")
    assert not is_member(GROUPS, ["leads"], "bob")
    assert not is_member({}, ["leads"], "lea")
