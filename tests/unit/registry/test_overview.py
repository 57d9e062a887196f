from pathlib import Path

from regista.model.tables import TABLES
from regista.read.sqlfiles import VIEWS
from regista.registry.opening import init_registry
from regista.registry.overview import table_overview


def test_all_tables_and_views_are_listed_with_their_columns(tmp_path: Path) -> None:
    registry = init_registry(str(tmp_path / "reg"), actor="ada").registry
    registry.create("m")
    found = {table["name"]: table for table in table_overview(registry)}
    assert list(found) == [*TABLES, *VIEWS]
    assert found["entries"]["rows"] == 1
    assert found["commits"]["rows"] == 2
    assert found["commits"]["files"] >= 1
    assert found["leaderboard"]["type"] == "view"
    assert [column["name"] for column in found["entries"]["columns"]] == list(
        TABLES["entries"].column_names
    )


def test_the_past_has_fewer_rows(tmp_path: Path) -> None:
    registry = init_registry(str(tmp_path / "reg"), actor="ada").registry
    registry.create("m")
    found = {table["name"]: table for table in table_overview(registry, as_of=1)}
    assert found["entries"]["rows"] == 0
    assert found["commits"]["rows"] == 1
