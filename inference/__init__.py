"""Drawing and measuring with trained weights: no GPU, no network needed."""

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"  # <recipe>/card.json ...
