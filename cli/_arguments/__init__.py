"""From words to a configuration: the grammar of the arguments, help pages, suggestions.

In: the words of the command line. Out: a configuration, a help page, or an error that says what was meant. Uses
`_errors` alone, so that it loads neither NumPy nor JAX.
"""
