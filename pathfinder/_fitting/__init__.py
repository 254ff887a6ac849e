"""The front doors `fit` and `fit_batch`: arguments in, result out."""
