"""Numbers about samples, none of which needs a downloaded network."""
