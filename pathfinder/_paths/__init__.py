"""From starts to the best approximation along each path: chunks of steps, ELBOs of their iterates, tables, interrupts.

In: a density, starts and keys of lanes. Out: `PathOutcomes`. Uses `_optimizer` for the steps, `_normals` for the
approximations and their ELBOs.
"""
