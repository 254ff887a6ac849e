import pytest

from pathfinder_cli._arguments.threads import environment_threads, resolve_threads
from pathfinder_cli._errors import UsageError


@pytest.mark.parametrize(
    ("num_threads", "variable", "expected"),
    [
        (None, None, 1),
        (None, "3", 3),
        (None, "-1", 8),
        (3, None, 3),
        (-1, None, 8),
        (3, "1", 3),
        (3, "3", 3),
        (-1, "-1", 8),
        (-1, "8", 8),
        (8, "-1", 8),
    ],
)
def test_the_argument_wins_where_the_environment_does_not_disagree(num_threads, variable, expected):
    environ = {} if variable is None else {"STAN_NUM_THREADS": variable}
    assert resolve_threads(num_threads, environ, 8) == expected


@pytest.mark.parametrize(("num_threads", "variable"), [(1, "2"), (2, "3"), (-1, "2")])
def test_disagreement_names_both_values(num_threads, variable):
    with pytest.raises(UsageError) as refused:
        resolve_threads(num_threads, {"STAN_NUM_THREADS": variable}, 8)
    assert refused.value.text.startswith(f"STAN_NUM_THREADS= {variable} but argument num_threads= {num_threads}. ")
    assert (refused.value.stream, refused.value.exit_code) == ("stderr", 1)


@pytest.mark.parametrize("variable", ["0", "-2", "x", "", "2.5", "99999999999"])
@pytest.mark.parametrize("num_threads", [None, 1])
def test_an_invalid_variable_is_refused_whatever_the_argument(num_threads, variable):
    with pytest.raises(UsageError, match="^Error: STAN_NUM_THREADS is "):
        resolve_threads(num_threads, {"STAN_NUM_THREADS": variable}, 8)


def test_minus_one_stands_for_all_cores():
    assert environment_threads({"STAN_NUM_THREADS": "-1"}, 5) == 5
