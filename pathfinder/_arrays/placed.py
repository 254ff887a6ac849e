"""Arrays of JAX made of those of NumPy without compiling anything, as `jnp.asarray` does once for every shape."""

from typing import Any

import jax
import numpy as np


def placed(tree: Any, device: Any = None) -> Any:
    """A pytree with its leaves as arrays of JAX, copied unless they are such and on the device.

    Args:
        tree: Numbers and arrays, of NumPy or of JAX. Python's numbers have weak types, as in `jnp.asarray`.
        device: Where they shall be; None leaves arrays of JAX where they are.
    """

    def place(leaf):
        if isinstance(leaf, jax.Array):
            return leaf if device is None or leaf.devices() == {device} else jax.device_put(leaf, device)
        # JAX would go on sharing the memory with whoever writes to an array.
        return jax.device_put(leaf if isinstance(leaf, bool | int | float | complex) else np.array(leaf), device)

    return jax.tree_util.tree_map(place, tree)


def default_dtype(dtype: Any = float) -> np.dtype:
    """The type that JAX gives to numbers: of single precision while `jax_enable_x64` is off."""
    return jax.dtypes.canonicalize_dtype(dtype)
