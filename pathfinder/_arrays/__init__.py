"""Arrays and the machines they live on: random numbers, safe vectorization, devices, orders of keys.

In and out: arrays, keys and functions of them. Uses nothing of ours, and knows no density.
"""
