"""The page of a result."""

import base64
import dataclasses
import re
import sys
from html.parser import HTMLParser
from io import BytesIO

import jax.numpy as jnp
import matplotlib.image
import numpy as np
import pytest

import pathfinder
from pathfinder import Model
from pathfinder._results import report_page
from pathfinder._results.report_page import MOST_SCALARS
from tests.pathfinder.results.chains import chains_of, independent


HOSTILE = "<script>alert('x')</script>&amp;"


class Page(HTMLParser):
    """What a page holds: its elements with their attributes, its texts, and its tables by the heading above them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.tables, self.heading, self.open = [], [], {}, None, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        if tag == "tr":
            self.tables.setdefault(self.heading, []).append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] == "h2":
            self.heading = data
        elif self.open and self.open[-1] in ("th", "td"):
            self.tables[self.heading][-1].append(data)

    @property
    def text(self):
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def result():
    model = Model.from_log_density(
        lambda p: -0.5 * jnp.sum(p["a<b>"] ** 2) - 0.5 * p["c"] ** 2,
        {"a<b>": np.zeros(2), "c": 0.0},
        name=HOSTILE,
    )
    options = {"num_draws": 200, "num_psis_draws": 200, "progress": False, "chains": False}
    return pathfinder.fit(model, seed=4, save_trajectory=True, **options)


@pytest.fixture(scope="module")
def text(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    result.report(path)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def page(text):
    return Page(text)


def test_nothing_comes_from_outside(page, text):
    assert not re.findall(r"https?:|//[\w]|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object", "a"})
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not page.open  # every element ends


def test_names_are_texts(page):
    assert page.texts.count(f"Pathfinder fit of {HOSTILE}") == 2  # title and heading
    assert [row[0] for row in page.tables["Estimates"][1:]] == ["a<b>[1]", "a<b>[2]", "c"]


def test_cells_are_texts():
    table = report_page.table_of_text(["<h>"] * 2, [["<a>", "<b>"]])
    assert Page(table).texts == ["<h>", "<h>", "<a>", "<b>"]


def test_verdict_and_numbers(result, page):
    assert "Reliable" in page.texts
    assert page.texts.count(result.reliability) == 1
    table = result.summary()
    assert page.tables["Estimates"][0] == ["variable", *table.columns]
    for row, (_, numbers) in zip(page.tables["Estimates"][1:], table.iterrows(), strict=True):
        np.testing.assert_allclose([float(cell) for cell in row[1:-1]], numbers.iloc[:-1], rtol=1e-3)
    diagnostics = {row[0]: row[1] for row in page.tables["Diagnostics"]}
    assert diagnostics["Pareto k-hat"] == f"{result.pareto_k:.2f}"
    assert diagnostics["effective sample size"] == f"{result.effective_sample_size:.0f}"
    paths = page.tables["Paths"][1:]
    assert [row[1] for row in paths] == [f"{path.elbo:.2f}" for path in result.paths]
    assert [row[-1] for row in paths] == [path.status.message for path in result.paths]
    assert page.tables["Cost"][-1] == ["together", str(result.num_gradients), str(result.num_densities)]


def test_settings_and_which_are_not_the_default(result, page):
    rows = {row[0]: row[1:] for row in page.tables["Settings"][1:]}
    assert set(rows) == {field.name for field in dataclasses.fields(result.settings)}
    assert rows["num_draws"][:2] == ["200", "1000"]
    said = next(text for text in page.texts if text.startswith("Other than by default"))
    assert said == "Other than by default: num_draws=200, num_psis_draws=200, chains=False, save_trajectory=True."


def test_pictures(page):
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert [image["alt"] for image in images] == ["trajectory", "elbo", "weights", "pairs"]
    for image in images:
        content = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        pixels = matplotlib.image.imread(BytesIO(content))
        assert pixels.shape[1] > int(image["width"])
        assert pixels.std() > 0.05


def test_chains_have_diagnostics_and_a_picture(result, tmp_path):
    chains = chains_of(independent())
    dataclasses.replace(result, chains=chains, uses_chains=True, rows=chains.rows(200)).report(tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    diagnostics = {row[0]: row[1] for row in page.tables["Diagnostics"]}
    assert diagnostics["nested R-hat"] == f"{chains.nested_rhat:.3f}"
    assert "nested_rhat" in page.tables["Estimates"][0]
    assert [a["alt"] for tag, a in page.elements if tag == "img"][-1] == "chains"
    assert "weights of the draws that the chains started from" in page.text


def test_what_cannot_be_drawn_is_said(result, tmp_path):
    bare = dataclasses.replace(result, paths=tuple(dataclasses.replace(path, trajectory=None) for path in result.paths))
    bare.report(tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    assert "make it with save_trajectory=True" in page.text
    assert len([tag for tag, _ in page.elements if tag == "img"]) == 3


def test_without_matplotlib_there_are_no_pictures(result, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result.report(tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    assert (
        "There are no pictures. Plots need matplotlib; install it with `pip install 'pathfinder-vi[plots]'`."
        in page.text
    )
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert len(page.tables["Estimates"]) == 4


def test_fits_without_weights_and_long_models(tmp_path):
    model = Model.from_log_density(lambda x: -0.5 * jnp.sum(x**2), np.zeros(MOST_SCALARS + 3), name="long")
    result = pathfinder.fit(model, seed=1, calculate_lp=False, num_draws=20, num_paths=1, progress=False)
    result.report(tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    assert "Not reliable" in page.texts
    assert "calculate_lp=False" in page.text
    assert len(page.tables["Estimates"]) == 1 + MOST_SCALARS
    assert f"The first {MOST_SCALARS} of {MOST_SCALARS + 3}" in page.text


def test_a_page_is_whole_or_not_there(result, tmp_path):
    name = tmp_path / "report.html"
    name.write_text("before")
    result.report(str(name))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert name.read_text().endswith("</html>\n")
    with pytest.raises(FileNotFoundError):
        result.report(tmp_path / "nowhere" / "report.html")
    assert len(list(tmp_path.iterdir())) == 1
