import numpy as np
import pytest

from pathfinder._data_files import parse_json, parse_rdump
from pathfinder_cli._errors import InputError
from pathfinder_cli._inputs.input_file import InputFile
from pathfinder_cli._inputs.validate import DATA, INITS, Declaration, Purpose, validate, validate_variable


BERNOULLI = Purpose("data initialization", model_name="bernoulli_model")


def json_file(text):
    return InputFile("d.json", "json", parse_json(text.encode(), "d.json"))


def rdump_file(text):
    return InputFile("d.R", "rdump", parse_rdump(text.encode(), "d.R"))


def integer(name, *shape, **rest):
    return Declaration(name, "int", shape, **rest)


def real(name, *shape, **rest):
    return Declaration(name, "real", shape, **rest)


def refusal(declaration, file, purpose=DATA):
    with pytest.raises(InputError) as caught:
        validate_variable(declaration, file, purpose)
    message, detail = str(caught.value).split("\n")
    assert detail.startswith("Error: ")
    return message, detail


def test_values_come_with_the_declared_type_and_shape():
    file = json_file('{"N": 2, "y": [0, 1], "x": [[1, 2.5]], "s": 3, "other": 1}')
    checked = validate([integer("N"), integer("y", 2), real("x", 1, 2), real("s")], file)
    assert {name: (array.dtype.kind, array.shape) for name, array in checked.items()} == {
        "N": ("i", ()),
        "y": ("i", (2,)),
        "x": ("f", (1, 2)),
        "s": ("f", ()),
    }


def test_slots_of_tuples():
    file = json_file('{"t": {"1": 1, "2": {"1": [1.5, 2]}}, "a": [{"1": 1}, {"1": 2}]}')
    checked = validate([integer("t.1"), real("t.2.1", 2), integer("a.1", 2)], file)
    np.testing.assert_array_equal(checked["a.1"], [1, 2])
    assert validate([integer("a.b")], rdump_file("a.b <- 1")) == {"a.b": 1}
    assert refusal(integer("t.3"), file)[0].startswith("Exception: variable does not exist;")


def test_shapes_may_depend_on_values_checked_before():
    file = json_file('{"N": 2, "y": [0, 1]}')
    checked = {}

    def declarations():
        n = integer("N", lower=0)
        yield n
        count = validate_variable(n, file)
        assert count is not None
        yield integer("y", int(count))

    checked = validate(declarations(), file)
    np.testing.assert_array_equal(checked["y"], [0, 1])


STAGE = "processing stage=data initialization; variable name"


@pytest.mark.parametrize(
    ("declaration", "text", "message"),
    [
        (integer("N"), "{}", f"variable does not exist; {STAGE}=N; base type=int"),
        (real("x"), "{}", f"variable does not exist; {STAGE}=x; base type=double"),
        (real("x"), '{"x": {"1": 1}}', f"variable does not exist; {STAGE}=x; base type=double"),
        (
            integer("y", 10),
            "{}",
            f"mismatch in number dimensions declared and found in context; {STAGE}=y; "
            "dims declared=(10); dims found=()",
        ),
        (
            integer("N"),
            '{"N": [2]}',
            f"mismatch in number dimensions declared and found in context; {STAGE}=N; dims declared=(); dims found=(1)",
        ),
        (
            real("m", 3, 2),
            '{"m": [[1, 2], [1, 2], [1.5, 2], [1, 2]]}',
            f"mismatch in dimension declared and found in context; {STAGE}=m; position=0; "
            "dims declared=(3,2); dims found=(4,2)",
        ),
        (
            integer("m", 1, 2),
            '{"m": [[0.5, 2, 3]]}',
            f"mismatch in dimension declared and found in context; {STAGE}=m; position=1; "
            "dims declared=(1,2); dims found=(1,3)",
        ),
        (integer("N"), '{"N": 2.0}', f"int variable contained non-int values; {STAGE}=N; base type=int"),
        (integer("y", 2), '{"y": [1, NaN]}', f"int variable contained non-int values; {STAGE}=y; base type=int"),
        (integer("N"), '{"N": 99999999999}', f"int variable contained non-int values; {STAGE}=N; base type=int"),
        (
            integer("y", 0),
            '{"y": [1]}',
            f"mismatch in dimension declared and found in context; {STAGE}=y; position=0; "
            "dims declared=(0); dims found=(1)",
        ),
    ],
)
def test_refused(declaration, text, message):
    found, detail = refusal(declaration, json_file(text))
    assert found == f"Exception: {message}"
    assert f"`{declaration.name}`" in detail
    assert '"d.json"' in detail


def test_stage_and_location_are_named():
    place = "'m.stan', line 7, column 2 to column 24"
    message, _ = refusal(real("x", 8, location=place), json_file('{"x": [1, 2]}'), INITS)
    assert message == (
        "Exception: mismatch in dimension declared and found in context; "
        "processing stage=parameter initialization; variable name=x; position=0; "
        f"dims declared=(8); dims found=(2) (in {place})"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("2.0", "written as reals"),
        ("[1, 2e0]", "written as reals"),
        ("[1, 99999999999]", "do not fit in 32 bits"),
        ("[1, 0.5]", "y[2] is 0.5"),
        ("[[1, 2], [Inf, 1]]", "y[2,1] is inf"),
    ],
)
def test_detail_of_values_that_are_not_whole(values, words):
    file = json_file(f'{{"y": {values}}}')
    shape = np.asarray(file.values["y"]).shape
    assert words in refusal(integer("y", *shape), file)[1]


def test_detail_of_missing_values():
    assert "no data file was given" in refusal(integer("N"), InputFile("", "json", {}))[1]
    assert "the file has `M`, `n`" in refusal(integer("N"), json_file('{"M": 1, "n": 2}'))[1]
    assert "no variables" in refusal(integer("N", 2), json_file("{}"))[1]
    assert "is an object" in refusal(integer("N", 2), json_file('{"N": {"a": 1}}'))[1]


@pytest.mark.parametrize("text", ["{}", '{"m": []}', '{"m": [[], []]}', '{"m": {}}'])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_without_elements_json_may_be_empty_or_absent(text, shape):
    for declaration in (integer("m", *shape), real("m", *shape)):
        values = validate_variable(declaration, json_file(text))
        assert values is not None
        assert values.shape == shape


def test_without_elements_r_dump_must_still_fit():
    assert refusal(real("m", 0), rdump_file(""))[0].startswith("Exception: variable does not exist;")
    message = refusal(real("m", 0, 3), rdump_file("m <- double(0)"))[0]
    assert message.startswith("Exception: mismatch in number dimensions")
    fits = validate_variable(real("m", 0, 3), rdump_file("m <- structure(double(0), .Dim = c(0, 3))"))
    assert fits is not None
    assert fits.shape == (0, 3)


def test_existence_is_checked_first_in_r_dump_and_shape_first_in_json():
    declaration = integer("y", 2)
    assert "non-int values" in refusal(declaration, rdump_file("y <- c(0.5, 1, 2)"))[0]
    assert "mismatch in dimension" in refusal(declaration, json_file('{"y": [0.5, 1, 2]}'))[0]


@pytest.mark.parametrize(
    ("declaration", "text", "what"),
    [
        (integer("N", lower=0), '{"N": -1}', "N is -1, but must be greater than or equal to 0.000000"),
        (integer("y", 2, lower=0, upper=1), '{"y": [0, 2]}', "y[2] is 2, but must be less than or equal to 1.000000"),
        (
            real("x", 1, 2, lower=0.5),
            '{"x": [[1, 0.25]]}',
            "x[1,2] is 0.25, but must be greater than or equal to 0.500000",
        ),
        (real("x", lower=0), '{"x": "NaN"}', "x is nan, but must be greater than or equal to 0.000000"),
        (real("x", upper=0), '{"x": "NaN"}', "x is nan, but must be less than or equal to 0.000000"),
        (integer("N", upper=3), '{"N": 1234567}', "N is 1234567, but must be less than or equal to 3.000000"),
        (real("x", 2, lower=[0, 1]), '{"x": [0, 0]}', "x[2] is 0, but must be greater than or equal to 1.000000"),
    ],
)
def test_bounds(declaration, text, what):
    message, detail = refusal(declaration, json_file(text), BERNOULLI)
    assert message == f"Exception: bernoulli_model_namespace::bernoulli_model: {what}"
    assert what.split(",")[0] in detail


def test_values_on_the_bounds_fit():
    file = json_file('{"x": [0, 1, "Inf"], "e": []}')
    assert validate([real("x", 3, lower=0, upper=np.inf), real("e", 0, lower=0)], file).keys() == {"x", "e"}


def test_initial_values_may_be_missing_but_must_fit():
    file = json_file('{"mu": 1}')
    assert validate([real("mu"), real("tau"), real("theta", 8)], file, INITS) == {"mu": 1.0}
    assert "mismatch" in refusal(real("mu", 1), file, INITS)[0]
