"""Programs as text and as trees."""
