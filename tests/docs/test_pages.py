"""Pages of the docs that repeat what the code says are kept equal to it."""

import re

from running import ROOT

from seqclf import errors
from seqclf.__main__ import COMMANDS
from seqclf.config.reference import reference

COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text()


def test_the_page_of_config_keys_is_the_schema():
    """Mend it with `python -m seqclf.config.reference > docs/config.md`."""
    assert (ROOT / "docs" / "config.md").read_text() == reference()


def test_the_table_of_exit_statuses_is_that_of_the_error_classes():
    from seqclf.serving.client.errors import ServingError

    said = {
        name: int(status)
        for status, name in re.findall(r"^\| (\d+) \|.*\| `(\w+)` \|$", COMMANDS_PAGE, re.MULTILINE)
    }
    known = {
        name: kind.exit_status
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.SeqclfError)
    }
    known.pop("SeqclfError")
    known["ServingError"] = ServingError.exit_status
    said.pop("Interrupted")
    assert said == known
    assert errors.Interrupted(2).exit_status == 130
    assert errors.Interrupted(15).exit_status == 143


def test_the_table_of_commands_has_each_command():
    table = COMMANDS_PAGE.split("| command |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `(\w+)` \| ", table, re.MULTILINE)) == set(COMMANDS)
