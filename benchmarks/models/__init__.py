"""Models of the benchmarks: each file defines `model(data)`, so it also works as a model file of the command line."""
