"""The models of PyMC's gallery are read from notebooks, whose code is as it is there."""

import pytest


pytest.importorskip("pymc")

from benchmarks.pymc_gallery import case, sampled_model  # noqa: E402


NOTEBOOK = """
Text with `code`.

```{code-cell} ipython3
---
id: first
---
import a_package_that_nobody_has
import pymc as pm
%config InlineBackend.figure_format = 'retina'
y = [1.0, 2.0]
```

```{code-cell} ipython3
:id: second

with pm.Model() as other:
    pm.Normal("other")

with pm.Model() as model:
    x = pm.Normal("x")
    pm.Normal("y", x, observed=y)
    data = pm.sample(random_seed=1)
```
"""


def test_the_sampled_model_is_found():
    model = sampled_model(NOTEBOOK)
    assert [variable.name for variable in model.free_RVs] == ["x"]
    assert [variable.name for variable in model.observed_RVs] == ["y"]


def test_notebooks_without_one_say_what_failed():
    with pytest.raises(ValueError, match=r"samples no model.\nModuleNotFoundError: No module named 'a_package"):
        sampled_model(NOTEBOOK.replace("pm.sample", "print"))


def test_the_gallery_is_a_folder_of_the_users(monkeypatch):
    monkeypatch.delenv("PYMC_EXAMPLES", raising=False)
    with pytest.raises(ValueError, match="Set PYMC_EXAMPLES to the folder"):
        case("BEST")
