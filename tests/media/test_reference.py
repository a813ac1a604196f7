"""docs/reference/tasks.md is what the catalogue says."""

from pathlib import Path

from media.catalog import registry
from media.reference import prose, tasks_markdown
from workers.protocol import names

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tasks.md"


def test_the_page_is_the_catalogue() -> None:
    assert PAGE.read_text() == tasks_markdown(), "run `manage.py write_task_reference`"


def test_every_field_of_every_task_is_described() -> None:
    page = PAGE.read_text()
    for task in registry.all_tasks().values():
        if task.name == names.DIAGNOSTIC_NOOP:
            continue
        section = page.partition(f"\n## {task.name}\n")[2].partition("\n## ")[0]
        schema = task.input_model.published_schema()
        for name, field in schema["properties"].items():
            assert field["description"], (task.name, name)
            assert f"| `{name}` |" in section
            assert field["description"] in section
        assert task.explanation in section
        assert len(prose(task.name.replace(".", "_"))) > 100
        assert task.examples
        for model in schema.get("$defs", {}).values():
            assert all(field["description"] for field in model["properties"].values())
