"""What a fit returns, and the views of it: draws by name, tables, reports, files, ArviZ.

In: how the paths ended, the weighted draws and what was refined. Out: results, errors that list every path, and what
they show. Uses `_importance` for draws that are made again, and `_model` for their names.
"""
