"""Compilation for functions that run once: without the optimisations that take most of its time."""

import jax


def compiled(function):
    """`jax.jit(function)`, compiled fast."""
    options = {
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
        "xla_cpu_use_fusion_emitters": False,
    }
    return jax.jit(function, compiler_options=options)
