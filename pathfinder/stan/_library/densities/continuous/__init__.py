"""Continuous families of numbers: log densities, cdfs and samplers of each, and a table `DISTRIBUTIONS`."""
