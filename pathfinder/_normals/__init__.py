"""Normal distributions.

Their factors, how an L-BFGS history makes one, drawing from them and scoring the draws (ELBO).
"""
