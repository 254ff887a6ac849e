"""Draws with their importance weights: where draws come from, what they score, how they are weighted and adapted."""
