"""Drawing with trained weights: no GPU, no network needed."""
