"""The pictures of the rooms in docs/internals.md show the imports of the source."""

import pytest

from tests.docs.rooms import PAGE, arrows, destination, essential, picture, pictures, redrawn
from tests.test_house import ORDER


def test_pictures_are_those_of_the_source():
    text = PAGE.read_text()
    assert redrawn(text) == text, "`python -m tests.docs.rooms` draws them anew"


def test_every_package_with_rooms_has_a_picture():
    assert set(pictures(PAGE.read_text())) == set(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_every_room_that_imports_is_in_the_picture(package):
    drawn = picture(package)
    assert all(f"    {source}[{source}]\n" in drawn for source, _ in arrows(package))


def test_a_way_through_another_room_replaces_an_arrow():
    found = [("top", "middle"), ("middle", "bottom"), ("top", "bottom"), ("top", "side")]
    assert essential(found, ["top", "middle", "side", "bottom"]) == [
        ("top", "middle"),
        ("top", "side"),
        ("middle", "bottom"),
    ]


def test_an_arrow_upwards_is_drawn():
    found = [("top", "bottom"), ("bottom", "top")]
    assert essential(found, ["top", "bottom"]) == found


def test_modules_outside_of_a_package_stand_for_their_room():
    assert destination("pathfinder.stan", "pathfinder.stan._types.types") == "_types"
    assert destination("pathfinder.stan", "pathfinder._variables") == "_variables"
    assert destination("pathfinder.stan._library", "pathfinder.stan._values.lanes") == "_values"
    assert destination("pathfinder_cli", "pathfinder._settings") == "pathfinder"
    assert destination("pathfinder", "numpy") is None
