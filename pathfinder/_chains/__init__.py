"""Short parallel chains of Hamiltonian Monte Carlo, for posteriors that no weighted normal covers.

In: a density, the weighted draws of a fit, which the chains start from, and the normal that whitens them. Out: the
states of all chains over the last half of their iterations, with what tells whether they have mixed. Uses `_normals`
for the coordinates and `_importance` for the starts.
"""
