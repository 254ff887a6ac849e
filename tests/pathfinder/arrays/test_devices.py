"""The host as a device."""

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.devices import Devices


def test_on_the_host_arrays_stay_where_they_are():
    host, tree = Devices.host(), {"a": np.arange(3), "b": (np.ones(2), None)}
    assert host.is_cpu
    assert len(host) == 1
    assert host.put(tree, 5) is tree


def test_devices_get_arrays_of_jax():
    device = Devices.choose(jax.devices("cpu")[0])
    assert device.is_cpu
    placed = device.put({"a": np.arange(3)}, 1)["a"]
    assert isinstance(placed, jax.Array)
    np.testing.assert_array_equal(placed, jnp.arange(3))
