"""Programs as text and as trees: source with places, diagnostics, nodes, and the text of a tree.

In: texts and trees. Out: the same in the other form. The lowest room: uses none of the compiler's.
"""
