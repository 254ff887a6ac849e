"""How programs are compiled in the tests: fast, as most run once, and kept on disk for other workers and runs.

SciPy's BLAS has one thread in each process: its threads wait busily for each other, and the workers take all cores.
(NumPy's is loaded by plugins of pytest before this; the engine itself sees to that one.)
"""

import os
from pathlib import Path


FAST = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_cpu_parallel_codegen_split_count=1",
)
CACHE = {
    "JAX_COMPILATION_CACHE_DIR": str(Path(__file__).resolve().parents[1] / ".compiled"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def set_up() -> None:
    """For this process, in which SciPy and JAX must not have been loaded yet, and those that it starts."""
    os.environ.update(CACHE | ONE_THREAD)
    os.environ["XLA_FLAGS"] = flags(os.environ.get("XLA_FLAGS", ""))


def flags(further: str = "") -> str:
    """The value of `XLA_FLAGS`, with further ones behind."""
    own = [flag for flag in further.split() if flag not in FAST]
    return " ".join([*FAST, *own])


def as_users_have_it() -> dict[str, str]:
    """The environment of this process without what the tests set."""
    return {name: value for name, value in os.environ.items() if name not in {*CACHE, *ONE_THREAD, "XLA_FLAGS"}}
