"""What a fit returns, and the views of it: reports, files, ArviZ.

In: how the paths ended, the weighted draws and what was refined. Out: results, errors that list every path, and what
they show. Uses `_draws` for the values of draws and what they are worth.
"""
