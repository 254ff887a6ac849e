"""The front doors `fit` and `fit_batch`: arguments are checked and completed, a result comes back.

In: a model or a log density, and options. Out: a `PathfinderResult` or `BatchResult`. Uses every room below: paths,
then refinement, then draws with their weights, then the result, in this order.
"""
