"""A program with its data: density, parameters, generated quantities, and the fields of a model."""
