"""Wrong programs, with the line and column that the message must point at and a phrase that must be in it."""

DECLARED = """\
data {
  int N;
  vector[N] y;
  array[N] real x;
}
parameters {
  real mu;
  real<lower=0> sigma;
}
"""


def _model(statements: str) -> str:
    return f"{DECLARED}model {{\n  {statements}\n}}\n"


def _functions(definitions: str) -> str:
    return f"functions {{\n  {definitions}\n}}\n"


RIGHT_HAND_SIDE = "vector rhs(real t, vector y, real k) { return k * y; }\n  "

BROKEN = [
    (_model("mu ~ normal(0, 1)"), 11, 20, "Expected `;` after the statement"),
    (_model("target + = 1;"), 11, 10, "Expected"),
    (_model("real x[2;"), 11, 11, "Expected `,` or `]`"),
    (_model("vector<lower=0>[2] z;"), 11, 9, "Bounds can stand only at the top"),
    (_model("if (mu = 1) { }"), 11, 10, "Equality is written `==`"),
    (_model("1.5 = mu;"), 11, 3, "cannot be assigned to"),
    ("data {\n  int N\n}\n", 2, 8, "Expected `;` after the declaration"),
    ("data {\n  matrix[2] x;\n}\n", 2, 9, "`matrix` has 2 sizes, found 1"),
    ("model { }\ndata { }\n", 2, 1, "`data` stands before `model`"),
    ("parameters {\n  real x = 1;\n}\n", 2, 10, "cannot be given a value"),
    (_model("mu ~ normal(0, tau);"), 11, 18, "The variable `tau` is not known here."),
    (_model("mu ~ nromal(0, 1);"), 11, 8, "Did you mean `normal`?"),
    (_model("mu ~ normal(0, sgima);"), 11, 18, "Did you mean `sigma`?"),
    (_model("target += lgama(mu);"), 11, 13, "Did you mean `lgamma`?"),
    (_model("target += normal_lpmf(N | 0, 1);"), 11, 13, "`normal_lpdf` is, a distribution of real numbers."),
    (_model("target += poisson_lpdf(N | 1);"), 11, 13, "`poisson_lpmf` is, a distribution of integers."),
    (_model("target += fabs(mu);"), 11, 13, "Write `abs`."),
    (_model("target += normal_log(mu, 0, 1);"), 11, 13, "Write `normal_lpdf`."),
    (_model("target += poisson_ccdf_log(1, 1);"), 11, 13, "Write `poisson_lccdf`."),
    (_model("real mu;"), 11, 8, "`mu` is declared already."),
    (_model("for (N in 1:3) { }"), 11, 8, "`N` is declared already."),
    (_model("real var = 1;"), 11, 8, "`var` is reserved"),
    (_model("mu(1);"), 11, 3, "`mu` is a variable, no function."),
    (_model("real z = mu(1);"), 11, 12, "`mu` is a variable, no function."),
    (_model("{ real inner = 1; }\n  inner = 2;"), 12, 3, "The variable `inner` is not known here."),
    (_model("for (i in 1:N) { }\n  target += i;"), 12, 13, "The variable `i` is not known here."),
    ("model {\n  real a;\n}\ngenerated quantities {\n  real b = a;\n}\n", 5, 12, "The variable `a` is not known here."),
    (_model("print(normal_lpdf);"), 11, 9, "`normal_lpdf` is a function, and no value."),
    (_model("int k = mu;"), 11, 11, "A variable of type `int` cannot be given a value of type `real`."),
    (_model("int k;\n  k = 1.5;"), 12, 7, "A variable of type `int` cannot be given a value of type `real`."),
    (
        _model("vector[2] v = [1, 2];"),
        11,
        17,
        "A variable of type `vector` cannot be given a value of type `row_vector`.",
    ),
    (
        _model("array[2] int k = {1, 2.5};"),
        11,
        20,
        "of type `array[] int` cannot be given a value of type `array[] real`",
    ),
    (_model("target += y * y;"), 11, 13, "The elementwise operator is `.*`."),
    (_model("target += x + 1;"), 11, 13, "Operators take no arrays"),
    (_model("target += mu % 2;"), 11, 13, "Both sides must be integers."),
    (_model("target += y && 1;"), 11, 13, "`&&` cannot stand between `vector` and `int`."),
    (_model("target += !mu;"), 11, 13, "`!` cannot stand before `real`."),
    (_model("target += sum(x');"), 11, 17, "`'` transposes vectors and matrices, found `array[] real`."),
    (_model("target += y[1.5];"), 11, 15, "An index must be `int`, `array[] int` or a range, found `real`."),
    (_model("target += y[1, 2];"), 11, 13, "`vector` cannot have 2 indices, only 1."),
    (_model("target += mu[1];"), 11, 13, "`real` cannot have 1 index, only 0."),
    (_model("target += y[1:mu];"), 11, 17, "An end of a range must be `int`, found `real`."),
    (_model("target += {1, y};"), 11, 17, "The elements of an array have one type, found `int` and `vector`."),
    (_model("target += [1, y];"), 11, 17, "`[...]` holds numbers, or row vectors as rows of a matrix, found `vector`."),
    (_model("target += mu ? 1 : 2;"), 11, 13, "The condition before `?` must be `int`, found `real`."),
    (_model("target += N ? 1 : y;"), 11, 21, "Both values of `?` must be of one type, found `int` and `vector`."),
    (_model("target += (1, 2.5).3;"), 11, 13, "This tuple has 2 elements, and none is `.3`."),
    (_model("target += y.1;"), 11, 13, "Only tuples have elements such as `.1`, found `vector`."),
    (_model("target += 1i;"), 11, 13, "A log density is made of real numbers, found `complex`."),
    (_model("if (mu) { }"), 11, 7, "The condition of `if` must be `int`, found `real`."),
    (_model("while (1.0) { }"), 11, 10, "The condition of `while` must be `int`, found `real`."),
    (_model("for (i in 1:mu) { }"), 11, 15, "The last value of a loop variable must be `int`, found `real`."),
    (_model("for (i in N) { }"), 11, 13, "A loop goes through an array, vector or matrix, found `int`."),
    (_model("vector[N] v;\n  v += [1, 2];"), 12, 3, "`+=` cannot stand between `vector` and `row_vector`."),
    (_model("real s;\n  s += y;"), 12, 3, "`+=` would make `vector` of `real`."),
    (_model("target += normal_lpdf(y | mu);"), 11, 13, "`normal_lpdf` takes 3 arguments, found 2: (vector, real)."),
    (_model("mu ~ normal(0);"), 11, 3, "`normal` takes 2 arguments, found 1: (int)."),
    (
        _model("mu ~ poisson(1);"),
        11,
        3,
        "The outcome of `poisson` must be `int` or `array[] int`, found `real`.",
    ),
    (_model("y ~ normal(mu, [[1]]);"), 11, 18, "The second argument of `normal`"),
    (_model("target += size(1, 2);"), 11, 13, "`size` takes 1 argument, found 2: (int, int)."),
    (_model("target += dot_product(y, x);"), 11, 28, "The second argument of `dot_product` must be `vector`"),
    (_model("vector[3] v = linspaced_vector(3, 0, mu);"), 11, 40, "must be data, but this depends on parameters."),
    (
        _model("target += normal_lpdf(y, mu, sigma);"),
        11,
        13,
        "A `|` must stand behind the first argument of `normal_lpdf`.",
    ),
    (_model("target += sin(mu | 1);"), 11, 13, "`sin` takes no `|`"),
    (_model("print(qr(y));"), 11, 12, "The first argument of `qr` must be `matrix`, found `vector`."),
    (_model("sin(mu);"), 11, 3, "The value of `sin`, of type `real`, is not used."),
    ("data {\n  real n;\n  vector[n] v;\n}\n", 3, 10, "The size of `vector` must be `int`, found `real`."),
    ("data {\n  array[2.5] int k;\n}\n", 2, 9, "The size of an array must be `int`, found `real`."),
    (
        "parameters {\n  vector[2] a;\n}\ntransformed parameters {\n  vector[size(a)] b;\n}\n",
        5,
        15,
        "depends on data only, and `a` is no data.",
    ),
    ("transformed data {\n  vector[poisson_rng(3)] b;\n}\n", 2, 10, "Sizes of variables of a block cannot be random."),
    ("data {\n  int<lower=0.5> n;\n}\n", 2, 13, "`lower` of an integer must be an integer, found `real`."),
    (
        "data {\n  vector[2] l;\n  row_vector<lower=l>[2] x;\n}\n",
        3,
        20,
        "`lower` must be `int`, `real` or `row_vector`, found `vector`.",
    ),
    ("data {\n  complex<lower=0> z;\n}\n", 2, 10, "`complex` takes no bounds."),
    ("parameters {\n  int k;\n}\n", 2, 3, "Variables of `parameters` hold no integers, found `int`."),
    (
        "transformed parameters {\n  array[2] int k = {1, 2};\n}\n",
        2,
        3,
        "Variables of `transformed parameters` hold no integers",
    ),
    (_model("mu = 1;"), 11, 3, "`mu` is declared in `parameters` and cannot be assigned to in `model`."),
    (_model("y[1] = 1;"), 11, 3, "`y` is declared in `data` and cannot be assigned to in `model`."),
    (_model("for (i in 1:3) {\n    i = 2;\n  }"), 12, 5, "`i` is a loop variable and cannot be assigned to."),
    (_model("real z = normal_rng(0, 1);"), 11, 12, "`normal_rng` can be called only in `transformed data`"),
    ("transformed data {\n  target += 1;\n}\n", 2, 3, "`target` can be added to only in `model`"),
    ("transformed parameters {\n  target += 1;\n}\n", 2, 3, "Write `jacobian += ...;` here."),
    ("generated quantities {\n  1 ~ poisson(2);\n}\n", 2, 3, "`~` can stand only in `model`"),
    ("generated quantities {\n  real z = target();\n}\n", 2, 12, "`target()` can be read only in `model`"),
    (
        "generated quantities {\n  real z = normal_lupdf(1 | 0, 1);\n}\n",
        2,
        12,
        "`normal_lupdf` can be called only in `model`",
    ),
    (_model("jacobian += 1;"), 11, 3, "`jacobian` can be added to only in `transformed parameters`"),
    (_model("break;"), 11, 3, "`break` can stand only in a loop."),
    (_model("return;"), 11, 3, "`return` can stand only in a function."),
    (_model("mu ~ normal_lpdf(0, 1);"), 11, 8, "stands without its suffix `_lpdf`."),
    (_model("mu ~ normal(0, 1) T[y, ];"), 11, 23, "An end of a truncation must be `int` or `real`, found `vector`."),
    (
        _model("mu ~ loglogistic(1, 1) T[1, ];"),
        11,
        28,
        "Truncation needs a function `loglogistic_lcdf` of (int, int, int).",
    ),
    (_functions("real f(real x) { }"), 2, 8, "`f` may end without returning its value of type `real`."),
    (_functions("real f(real x) {\n    if (x > 0) return 1;\n  }"), 2, 8, "`f` may end without returning"),
    (_functions("int f(real x) { return x; }"), 2, 26, "`f` must return `int`, found `real`."),
    (_functions("void f(real x) { return x; }"), 2, 27, "`f` is void and returns no value."),
    (_functions("real f(real x) { return; }"), 2, 20, "`f` must return a value of type `real`."),
    (_functions("real f(real x);"), 2, 8, "`f` is declared and not defined."),
    (_functions("real f(real x) return x;"), 2, 18, "The body of a function stands in braces."),
    (
        _functions("real f(real x) { return 1; }\n  real f(real y) { return 2; }"),
        3,
        8,
        "`f(real) => real` stands twice.",
    ),
    (
        _functions("real f(real x) { return 1; }\n  int f(real y) { return 2; }"),
        3,
        7,
        "returns `real` already, not `int`.",
    ),
    (_functions("real sin(real x) { return 1; }"), 2, 8, "is a function of Stan and cannot be defined anew."),
    (
        _functions("real reduce_sum(real x) { return 1; }"),
        2,
        8,
        "`reduce_sum` is a function of Stan and cannot be overloaded.",
    ),
    (_functions("real f(real x, int x) { return 1; }"), 2, 22, "`x` is declared already."),
    (
        _functions("real f(real x) { x = 2; return x; }"),
        2,
        20,
        "`x` is an argument of a function and cannot be assigned to.",
    ),
    (_functions("int f_lpdf(real x) { return 1; }"), 2, 7, "return `real`, found `int`."),
    (_functions("real f_lpdf(int x) { return 1; }"), 2, 15, "is made of real numbers, not integers, found `int`."),
    (_functions("real f_lpmf(real x) { return 1; }"), 2, 15, "is made of integers"),
    (_functions("real f_lupdf(real x) { return 1; }"), 2, 8, "comes for free with `f_lpdf`; define that."),
    (_functions("real f(real x) { return normal_rng(x, 1); }"), 2, 27, "not in the function `f`."),
    (
        _functions("void f(real x) { x ~ normal(0, 1); }"),
        2,
        20,
        "`~` can stand only in `model` and in functions with the suffix `_lp`.",
    ),
    (
        _functions("real f(data real x) { return x; }\n  real g(real x) { return f(x); }"),
        3,
        29,
        "must be data, but this depends on parameters.",
    ),
    (
        _functions(
            "real f(int a, real b) { return 1; }\n  real f(real a, int b) { return 1; }\n  real g() { return f(1, 1); }"
        ),
        4,
        21,
        "may mean several functions.",
    ),
    (_functions("void f() { }\n  real g() { return f(); }"), 3, 21, "`f` has no value."),
    (
        _functions(RIGHT_HAND_SIDE + "array[] vector g(vector y) { return ode_rk45(rhs, y, 0, {1}, y); }"),
        3,
        64,
        "The fourth argument of `ode_rk45` behind `rhs` must be `real`, found `vector`.",
    ),
    (
        _functions(RIGHT_HAND_SIDE + "array[] vector g(vector y) { return ode_rk45(rhs, y, 0, {1}); }"),
        3,
        39,
        "`ode_rk45` behind `rhs` takes 4 arguments, found 3",
    ),
    (
        _functions(RIGHT_HAND_SIDE + "array[] vector g(vector y) { return ode_rk45(y, y, 0, {1}); }"),
        3,
        48,
        "must be the name of a function.",
    ),
    (
        _functions(RIGHT_HAND_SIDE + "vector g(vector y) { return solve_newton(rhs, y); }"),
        3,
        44,
        "needs a function (vector, ...) => vector, and `rhs` is none.",
    ),
    (
        _functions(RIGHT_HAND_SIDE + "real g(vector y) { return reduce_sum(rhs, y, 1); }"),
        3,
        45,
        "`reduce_sum` slices an array",
    ),
]
