"""Effects of coaching in eight schools as a Stan program, from its file to ArviZ.

Run it with `python examples/stan_eight_schools.py`. No C++ toolchain is needed.
"""

from pathlib import Path

import jax

import pathfinder


FOLDER = Path(__file__).parent


def model(data):
    program = FOLDER / "eight_schools_noncentered.stan"
    return pathfinder.Model.from_stan(program, data, dims={"theta": ("school",), "y_rep": ("school",)})


def main():
    jax.config.update("jax_enable_x64", True)
    result = pathfinder.fit(model(FOLDER / "eight_schools.data.json"), seed=1, progress=False)
    print(result)
    print(result.summary().loc[["mu", "tau"]])
    print(result.to_inferencedata())


if __name__ == "__main__":
    main()
