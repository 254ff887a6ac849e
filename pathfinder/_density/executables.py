"""Compiled programs as bytes, and back: the only file that knows how JAX represents them.

JAX promises nothing of that. If anything is missing or has another form there are no bytes, and programs are compiled.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import jax
import numpy as np
from jax.core import ShapedArray

from pathfinder._arrays.packed import packed, unpacked


@contextmanager
def out_of_the_cache_of_jax() -> Iterator[None]:
    """Within it this thread puts no program into JAX's cache: those from there have no bytes that can be loaded.

    That is so in jaxlib 0.10.2.
    """
    with ExitStack() as stack:
        with suppress(Exception):  # whatever JAX has changed
            from jax._src import config

            stack.enter_context(config.persistent_cache_min_compile_time_secs(math.inf))
        yield


def executable_bytes(compiled: jax.stages.Compiled, about: Any) -> bytes | None:
    """A compiled program as bytes, without Python objects; None if that cannot be.

    Args:
        compiled: A program of positional arguments for a single device, which gives a tuple or a dictionary of arrays.
        about: What else is to be known of it; JSON.
    """
    try:
        whole, outputs = compiled._executable._unloaded_executable, compiled.out_tree  # type: ignore[attr-defined]
        result = outputs.unflatten(whole.output_avals)
        names = sorted(result) if isinstance(result, dict) else None
        is_plain = (
            outputs == jax.tree_util.tree_structure(_result(names, whole.output_avals))
            and not (whole.unordered_effects or whole.ordered_effects or whole.host_callbacks or whole.mut)
            and not (whole.keepalive or whole.committed or compiled._params.const_args)  # type: ignore[attr-defined]
            and len(whole.device_list) == 1
            and all(layout is None for layout in whole.dispatch_in_layouts)
        )
        if not is_plain:
            return None
        header = {
            "name": whole.name,
            "kept": sorted(whole.kept_var_idx),
            "inputs": [_described(aval) for aval in jax.tree_util.tree_leaves(compiled.args_info)],
            "outputs": [_described(aval) for aval in whole.output_avals],
            "names": names,
            "lapack": "lapack_" in (compiled.as_text() or "lapack_"),
            "about": about,
        }
        return packed(header, [bytes(whole.xla_executable.serialize())])
    except Exception:  # whatever JAX has changed
        return None


def loaded_executable(
    content: bytes, arguments: Callable[[Any], tuple[Any, ...]], device: Any
) -> tuple[jax.stages.Compiled, Any] | None:
    """A program of `executable_bytes` that can be called, and what was said of it; None if that cannot be.

    Args:
        content: The bytes, which must come from this user's own store: they are code that is run.
        arguments: Gives shapes and types of its arguments from what was said of it.
        device: Where it runs.
    """
    try:
        from jax._src.interpreters.pxla import UnloadedMeshExecutable
        from jax._src.lib import lapack, xla_client  # type: ignore[attr-defined]

        header, (raw,) = unpacked(content)
        leaves, structure = jax.tree_util.tree_flatten((arguments(header["about"]), {}))
        if [_described(leaf) for leaf in leaves] != header["inputs"]:
            return None
        inputs = [_aval(*_described(leaf)) for leaf in leaves]
        kept, outputs = set(header["kept"]), [_aval(*each) for each in header["outputs"]]
        sharding, devices = jax.sharding.SingleDeviceSharding(device), xla_client.DeviceList((device,))
        of_inputs, of_outputs = [sharding] * len(kept), [sharding] * len(outputs)
        if header["lapack"]:
            # Lowering a call of LAPACK finds its routines; without that the program would jump to nowhere.
            lapack.prepare_lapack_call("potrf", np.dtype(np.float64))
        executable = UnloadedMeshExecutable(
            xla_executable=device.client.deserialize_executable(raw, executable_devices=devices),
            device_list=devices,
            backend=device.client,
            input_avals=[inputs[place] for place in sorted(kept)],
            input_shardings=of_inputs,
            output_avals=outputs,
            output_shardings=of_outputs,
            committed=False,
            name=header["name"],
            unordered_effects=[],
            ordered_effects=[],
            keepalive=[],
            host_callbacks=[],
            kept_var_idx=kept,
            mut=None,
            xla_in_layouts=[None] * len(kept),
            dispatch_in_layouts=[None] * len(kept),
            xla_out_layouts=[None] * len(outputs),
            all_args_info=None,
            pgle_profiler=None,
        )
        information = [jax.stages.ArgInfo(aval, False) for aval in inputs]  # type: ignore[call-arg]
        compiled = jax.stages.Compiled(
            executable.load(),
            [],
            jax.tree_util.tree_unflatten(structure, information),
            jax.tree_util.tree_structure(_result(header["names"], outputs)),
        )
        return compiled, header["about"]
    except Exception:  # whatever JAX has changed
        return None


def _result(names: Sequence[str] | None, outputs: Sequence[Any]) -> Any:
    return tuple(outputs) if names is None else dict(zip(names, outputs, strict=True))


def _described(leaf: Any) -> list[Any]:
    aval = getattr(leaf, "_aval", leaf)
    return [np.dtype(aval.dtype).name, list(aval.shape), bool(getattr(aval, "weak_type", False))]


def _aval(dtype: str, shape: Sequence[int], weak_type: bool) -> Any:
    return ShapedArray(tuple(shape), np.dtype(dtype), weak_type=weak_type)
