"""What is being fitted: an unconstrained log density and the variables around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from pathfinder._arrays.namespace import Array
from pathfinder._arrays.placed import default_dtype
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._errors import NoParametersError
from pathfinder._model.axis_names import check_known, data_dims, with_dims
from pathfinder._model.callable_density import CallableDensity
from pathfinder._model.callable_parameters import CallableParameters
from pathfinder._model.log_density import log_density_fields
from pathfinder._model.named_data import named_data
from pathfinder._model.user_functions import explained
from pathfinder._variables import Part, Variable


@dataclass(frozen=True)
class Model:
    """A log density on the unconstrained space, with the variables it is about.

    Most models are made by `Model.from_log_density` or by an adapter in `pathfinder.interop`; the constructor is for
    code that has its own unconstrained representation.

    Args:
        dim: Number of unconstrained parameters.
        density: `density(position, data)` is the log density of an unconstrained vector of length `dim`, with
            the log Jacobian of the constraining transform added; `data` is passed through. Compiled programs
            are cached by this object, so equal models should share it (or give it `__eq__` and `__hash__`).
        constrain_fn: `constrain_fn(position, data)` gives the parameters and transformed parameters by name.
        unconstrain_fn: The unconstrained vector of a dictionary of parameters by name.
        named_fn: A pytree of parameters as a dictionary by name; raises `ValueError` if it has another structure.
        variables: What `constrain_fn` and `generate_fn` return, in the order in which it is written out.
        data: Pytree of arrays given to every function above; an argument of the compiled programs.
        generate_fn: `generate_fn(key, position, data)` gives generated quantities by name, or None. The key is one of
            JAX, or of a model outside of JAX two random words.
        warn_fn: `warn_fn(values)` is shown the values of draws by name, with whatever else `generate_fn` returns, and
            may warn of them; or None.
        rejection_fn: `rejection_fn(position)` says in a sentence why a point has no finite log density, or "" if there
            is nothing to say; for errors about points to start from. Or None.
        data_fn: `data_fn(data)` gives the data by name as they are shown in results; or None, if they are the leaves of
            `data`.
        observed: Names of those of them that are observations, which the density is a density of.
        data_dims: Names of the axes of data, by name.
        parts_fn: `parts_fn()` gives the property `parts`; or None if each parameter is an array under its own name.
        start_fn: `start_fn()` gives the unconstrained vector that the model's own library starts at; or None.
        dtype: Floating-point type of the unconstrained vector.
        name: Shown in summaries and written to files.
        coords: Coordinate values by dimension name, for ArviZ.
        log_likelihood_fn: `log_likelihood_fn(position, data)` gives the log likelihood of every observation, by name;
            or None.
        predictive_fn: `predictive_fn(key, position, data)` gives values that the observations might have had, by name,
            random ones with the key that `generate_fn` has; or None.
        predict_draws_fn: `predict_draws_fn(draws, seed)` does the same for all draws by name, outside of JAX; or None.
        observed_variables: What these are of; they are no part of draws.
        static_arguments: Names of arguments of the model that are no data: other values of them are another model, for
            which programs are compiled anew.
    """

    dim: int
    density: Callable[[Any, PyTree], Any] = field(repr=False)
    constrain_fn: Callable[[Any, PyTree], dict[str, Any]] = field(repr=False)
    unconstrain_fn: Callable[[Mapping[str, Any]], np.ndarray] = field(repr=False)
    named_fn: Callable[[PyTree], dict[str, Any]] = field(repr=False)
    variables: tuple[Variable, ...]
    data: PyTree = field(default=None, repr=False)
    generate_fn: Callable[[Array, Float[Array, " dim"], PyTree], dict[str, Array]] | None = field(
        default=None, repr=False
    )
    warn_fn: Callable[[Mapping[str, np.ndarray]], None] | None = field(default=None, repr=False)
    rejection_fn: Callable[[np.ndarray], str] | None = field(default=None, repr=False)
    data_fn: Callable[[PyTree], dict[str, np.ndarray]] | None = field(default=None, repr=False)
    observed: tuple[str, ...] = field(default=(), repr=False)
    data_dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    parts_fn: Callable[[], tuple[Part, ...]] | None = field(default=None, repr=False)
    start_fn: Callable[[], np.ndarray] | None = field(default=None, repr=False)
    dtype: Any = None
    name: str = "model"
    coords: Mapping[str, Any] = field(default_factory=dict, repr=False)
    log_likelihood_fn: Callable[[Any, PyTree], dict[str, Any]] | None = field(default=None, repr=False)
    predictive_fn: Callable[[Any, Any, PyTree], dict[str, Any]] | None = field(default=None, repr=False)
    predict_draws_fn: Callable[[Mapping[str, np.ndarray], int], dict[str, np.ndarray]] | None = field(
        default=None, repr=False
    )
    observed_variables: tuple[Variable, ...] = field(default=(), repr=False)
    static_arguments: tuple[str, ...] = ()

    def __post_init__(self):
        if self.dim < 1:
            raise NoParametersError(self.dim)
        if self.dtype is None:
            object.__setattr__(self, "dtype", default_dtype())

    @classmethod
    def from_log_density(
        cls,
        log_density: Callable[..., Any],
        example: PyTree,
        *,
        constraints: Mapping[str, Any] | None = None,
        data: PyTree = None,
        transformed: Callable[..., Mapping[str, Any]] | None = None,
        generated: Callable[..., Mapping[str, Any]] | None = None,
        dims: Mapping[str, tuple[str, ...]] | None = None,
        coords: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Model:
        """Make a model of a log density on a pytree of (possibly constrained) parameters.

        Args:
            log_density: `log_density(params)`, or `log_density(params, data)` if `data` is given; a JAX-traceable
                scalar. It is the density of the constrained parameters: the Jacobian is added here.
            example: A pytree with the structure, shapes and dtype of `params`. Values do not matter.
            constraints: Constraints by variable name, from `pathfinder.constraints`.
            data: Pytree of arrays, passed as an argument so that new data of the same shapes need no
                recompilation and large data are not baked into the compiled program.
            transformed: `transformed(params[, data])` gives transformed parameters by name.
            generated: `generated(key, params[, data])` gives generated quantities by name, random ones with `key`.
            dims: Names of the axes of variables and data, by name.
            coords: Coordinate values by dimension name.
            name: Defaults to the name of `log_density`.

        Raises:
            ValueError: If `example`, `constraints` or `dims` do not fit together, or `log_density` does not
                return a real scalar.
        """
        fields = log_density_fields(log_density, example, constraints, data, transformed, generated, dims or {})
        return cls(**fields, name=name or getattr(log_density, "__name__", "model"), coords=dict(coords or {}))

    @classmethod
    def from_stan(
        cls,
        program: Any,
        data: Any = None,
        *,
        seed: int = 0,
        simplex: str = "ilr",
        prints: bool = False,
        include_paths: Sequence[Any] = (),
        dims: Mapping[str, tuple[str, ...]] | None = None,
        coords: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Model:
        """Make a model of a Stan program.

        Compiled programs are shared by all models of the program whose data have the same shapes. Elements of tuples
        and parts of complex numbers are variables of their own, with the names of CmdStan's columns (`t:1`, `c.real`).

        Args:
            program: A path that ends in `.stan`, or the text of the program.
            data: Values of the data block by name (numbers, lists, arrays; tuples as such or as `{"1": ...}`), the
                path of a file in CmdStan's form (JSON if it ends in `.json`, R dump otherwise), or None.
            seed: For random numbers in the block transformed data.
            simplex: How simplexes are unconstrained: "ilr" as in Stan 2.37 and later, or "stick_breaking" as before.
            prints: Whether `print` statements print: those of transformed data now, others at every evaluation.
            include_paths: Folders to look for included files in, after that of the program.
            dims: Names of the axes of variables and data, by name.
            coords: Coordinate values by dimension name.
            name: Defaults to the name of the file.

        Raises:
            OSError: If a file cannot be read.
            ValueError: If the program is wrong, data or dims do not fit it, or it has no parameters. Errors that have a
                place in the program are of type `pathfinder.stan.StanError` and show it.
        """
        # Imported here, so that the engine can do without.
        from pathfinder.stan._program.data import read_data, take_from
        from pathfinder.stan._program.files import is_file, load, load_data
        from pathfinder.stan._program.model_fields import model_fields

        checked = load(program, include_paths)
        if name is None:
            name = str(program).rpartition("/")[2].removesuffix(".stan") if is_file(program) else "model"
        values = read_data(checked, take_from(load_data(data)))
        print_line = print if prints else None
        model = cls(
            **model_fields(checked, values, seed=seed, simplex=simplex, name=name, print_line=print_line, prints=prints)
        )
        named = model.named_data
        variables = with_dims(model.variables, dims or {}, named)
        axes = data_dims(dims or {}, named, {variable.name for variable in variables})
        return replace(model, variables=variables, data_dims=axes, coords=dict(coords or {}))

    @classmethod
    def from_callable(
        cls,
        value_and_grad: Callable[[Float[np.ndarray, " dim"]], tuple[Any, Any]],
        dim: int,
        *,
        value: Callable[[Float[np.ndarray, " dim"]], Any] | None = None,
        batched: bool = False,
        parallel: bool = False,
        names: Sequence[str] | None = None,
        constrain: Callable[[Float[np.ndarray, " dim"]], Mapping[str, Any]] | None = None,
        unconstrain: Callable[[Mapping[str, Any]], Any] | None = None,
        dims: Mapping[str, tuple[str, ...]] | None = None,
        coords: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Model:
        """Make a model of a log density outside of JAX, such as one of a library in C++ or of a remote solver.

        A fit of it runs in NumPy, and nothing is compiled. Points are double precision. Where the log density is not
        finite, return `-inf` or `nan`, with any gradient.

        Args:
            value_and_grad: `value_and_grad(position)` gives the log density of an unconstrained vector and its
                gradient. Jacobians of constraints are not added.
            dim: Length of the vector.
            value: `value(position)` gives the log density alone, if that costs less.
            batched: Whether both take an array with a row for each of up to 1024 points, and give as many values and
                gradients.
            parallel: Whether threads may call them at the same time.
            names: Of the elements of the vector, as parameters of their own. By default it is the parameter `x`.
            constrain: `constrain(position)` gives parameters by name, in place of `names`; called once with zeros for
                their shapes.
            unconstrain: The inverse, from parameters by name to a vector; only for `init` of fits.
            dims: Names of the axes of parameters, by name.
            coords: Coordinate values by dimension name.
            name: Defaults to the name of `value_and_grad`.

        Raises:
            ValueError: If arguments do not fit together.
        """
        density = CallableDensity(value_and_grad, dim, value, batched, parallel)
        parameters = CallableParameters(dim, names, constrain, unconstrain, dims)
        check_known(dims or {}, parameters.variables, {})
        return cls(
            dim=dim,
            density=density,
            constrain_fn=parameters.constrain,
            unconstrain_fn=parameters.unconstrain,
            named_fn=parameters.named,
            variables=parameters.variables,
            dtype=np.dtype(float),
            name=name or getattr(value_and_grad, "__name__", "model"),
            coords=dict(coords or {}),
        )

    @classmethod
    def from_numpyro(cls, model: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Model:
        """Make a model of a NumPyro model and its arguments, given as to `MCMC.run` behind the key.

        Latent sites are the parameters, and deterministic ones transformed parameters, on the scale on which the model
        has them. Discrete sites are summed over, for which funsor is needed (`pip install 'pathfinder-vi[numpyro]'`),
        and drawn given the others as generated quantities. Plates name axes; `with_names` gives other names.

        Arrays among the arguments are data: a model with others of the same shapes shares all compiled programs. Those
        whose values the model needs as it is traced, and all other arguments, are `static_arguments`.

        Args:
            model: A NumPyro model, also one within handlers.
            *args: Its positional arguments, observations included.
            **kwargs: Its named arguments.

        Raises:
            ValueError: If a site cannot be fitted; the message says which, why, and what to do.
            ImportError: If there are discrete sites, and funsor is not installed.
        """
        from pathfinder.interop.numpyro import numpyro_fields

        with explained("The NumPyro model"):
            return cls(**numpyro_fields(model, args, kwargs))

    @classmethod
    def from_bridgestan(
        cls,
        stan_model: Any,
        data: Any = None,
        *,
        threads: int | None = None,
        dims: Mapping[str, tuple[str, ...]] | None = None,
        coords: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Model:
        """Make a model of a Stan program that BridgeStan has compiled. Nothing is compiled here.

        Names, transformed parameters and generated quantities are those of `from_stan`, but containers without elements
        are left out. Points that the program rejects have a log density of minus infinity.

        Args:
            stan_model: A `bridgestan.StanModel`, or the path of a compiled library.
            data: Data of the program if that is a path: a dictionary, a JSON text, or the path of a JSON file.
            threads: How many threads may call the library at the same time. By default one, or as many as the machine
                allows if it was built with `STAN_THREADS`; they are used where a call takes long enough.
            dims: Names of the axes of variables, by name.
            coords: Coordinate values by dimension name.
            name: Defaults to that of the program.

        Raises:
            ImportError: If BridgeStan is needed and not installed.
            ValueError: If the library cannot be loaded or is of version 1, or arguments do not fit it.
        """
        from pathfinder.interop.bridgestan import bridgestan_arguments, bridgestan_fields
        from pathfinder.interop.bridgestan_library import load_bridgestan

        loaded = load_bridgestan(stan_model, data)
        model = cls.from_callable(**bridgestan_arguments(loaded, threads))
        model = replace(model, **bridgestan_fields(loaded))
        variables = with_dims(model.variables, dims or {}, {})
        return replace(model, variables=variables, coords=dict(coords or {}), name=name or model.name)

    @classmethod
    def from_pymc(cls, model: Any = None, *, name: str | None = None) -> Model:
        """Make a model of a PyMC model.

        Free variables are the parameters, deterministics the transformed parameters, with PyMC's names, dims and
        coords. `pm.Data` are arguments of the compiled programs: after `pm.set_data` with the same shapes, another call
        of this function and a fit compile nothing. PyTensor turns on JAX's double precision, unless its `floatX` is
        "float32".

        Args:
            model: A `pymc.Model`; None for that of the `with` block.
            name: Defaults to the name of the PyMC model.

        Raises:
            ModuleNotFoundError: If PyMC is not installed.
            ValueError: If the model cannot be fitted; says which variable or operation is why.
        """
        from pathfinder.interop.pymc import pymc_fields

        fields = pymc_fields(model)
        return cls(**{**fields, "name": name or fields["name"]})

    def with_names(
        self,
        *,
        dims: Mapping[str, tuple[str, ...]] | None = None,
        coords: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Model:
        """The same model with other names; compiled programs are shared.

        Args:
            dims: Names of the axes of variables, observations and data, by name; others stay as they are.
            coords: Coordinate values by dimension name; others stay, too.
            name: Of the model.

        Raises:
            ValueError: If there is no such variable, or an array has another number of axes.
        """
        dims, named = dims or {}, self.named_data
        known = [*self.variables, *self.observed_variables]
        check_known(dims, known, named)
        own = {variable.name for variable in known}
        return replace(
            self,
            variables=with_dims(self.variables, _only(dims, self.variables), {}),
            observed_variables=with_dims(self.observed_variables, _only(dims, self.observed_variables), {}),
            data_dims={**self.data_dims, **data_dims(dims, named, own)},
            coords={**self.coords, **(coords or {})},
            name=name or self.name,
        )

    @property
    def is_callable(self) -> bool:
        """Whether the density is a function outside of JAX, so that only the host can evaluate it."""
        return isinstance(self.density, CallableDensity)

    def log_density(self, position: Float[Array, " dim"]) -> Float[Array, ""]:
        """Log density of an unconstrained vector, with the Jacobian and whatever constants the model keeps."""
        if isinstance(self.density, CallableDensity):
            return self.density(position)
        return _evaluate(self.density, jnp.asarray(position, self.dtype), self.data)

    def constrain(self, position: Float[Array, " dim"]) -> dict[str, Array]:
        """Parameters and transformed parameters by name at an unconstrained vector."""
        if self.is_callable:
            return self.constrain_fn(np.asarray(position, self.dtype), None)
        named = _constrain(self.constrain_fn, jnp.asarray(position, self.dtype), self.data)
        return {variable.name: named[variable.name] for variable in self.variables if variable.name in named}

    def unconstrain(self, parameters: PyTree) -> np.ndarray:
        """The unconstrained vector of given parameters (a pytree like the example, or a dictionary by name).

        Raises:
            ValueError: If something is missing, has another shape, or violates its constraint.
        """
        return np.asarray(self.unconstrain_fn(self.named_parameters(parameters)), dtype=self.dtype)

    def named_parameters(self, parameters: PyTree) -> dict[str, Any]:
        """A pytree of parameters as a dictionary by variable name.

        Raises:
            ValueError: If it has another structure.
        """
        return self.named_fn(parameters)

    @property
    def parameters(self) -> tuple[Variable, ...]:
        """The variables of the parameters block."""
        return tuple(variable for variable in self.variables if variable.block == "parameters")

    @property
    def named_data(self) -> dict[str, np.ndarray]:
        """The data by name: for a Stan program the values of its data block, otherwise the leaves of `data`."""
        return named_data(self.data) if self.data_fn is None else self.data_fn(self.data)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parameters as files give them: complex numbers and tuples of a Stan program whole."""
        if self.parts_fn is not None:
            return self.parts_fn()
        return tuple(Part(variable.name, variable.shape, ((variable.name, ()),)) for variable in self.parameters)

    def columns(self, style: str = "stan") -> list[str]:
        """Names of all scalars in Stan's order: `theta.1.2` (style "stan") or `theta[1,2]` (style "bracket")."""
        return [column for variable in self.variables for column in variable.columns(style)]  # type: ignore[arg-type]


def _only(dims: Mapping[str, Any], variables: Sequence[Variable]) -> dict[str, Any]:
    return {variable.name: dims[variable.name] for variable in variables if variable.name in dims}


# Compiled, because NumPyro checks the arguments of its distributions outside of `jit` and raises where they are NaN.
@partial(jax.jit, static_argnums=0)
def _evaluate(density, position, data):
    return over_lanes(lambda own: density(own, data))(position[None])[0]


@partial(jax.jit, static_argnums=0)
def _constrain(constrain, position, data):
    return constrain(position, data)
