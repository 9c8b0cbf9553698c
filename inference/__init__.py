"""Drawing and measuring with trained weights: no GPU, no network needed."""
