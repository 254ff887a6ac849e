"""Which files are models, and how they are called in output files."""

import pytest

from pathfinder_cli._errors import RunError
from pathfinder_cli._models.source import KINDS, ModelSource


@pytest.mark.parametrize(
    ("path", "stem"), [("bernoulli.py", "bernoulli"), ("a/b.c.py", "b.c"), ("./my-model.py", "my-model")]
)
def test_names(path, stem):
    source = ModelSource(path, b"")
    assert source.stem == stem
    assert source.model_name == f"{stem}_model"


@pytest.mark.parametrize("path", ["m.R", "m", "m.PY", "m.txt", ".py", "", "m.py/"])
def test_other_kinds_are_refused_with_those_there_are(path):
    with pytest.raises(RunError) as caught:
        ModelSource.read(path)
    for suffix, kind in KINDS.items():
        assert suffix in str(caught.value)
        assert kind.description in str(caught.value)
    assert str(caught.value).startswith("Error: ")


@pytest.mark.parametrize(("name", "reason"), [("missing.py", "No such file"), ("folder.py", "Is a directory")])
def test_a_model_that_cannot_be_read(folder, name, reason):
    (folder / "folder.py").mkdir()
    with pytest.raises(RunError, match=f'cannot read the model file "{name}": {reason}'):
        ModelSource.read(name)


def test_each_kind_has_its_functions():
    for suffix in KINDS:
        module = ModelSource(f"m{suffix}", b"").module
        for function in ("check", "running", "bind", "check_model", "included"):
            assert callable(getattr(module, function))
