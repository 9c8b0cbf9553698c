"""Drawing and measuring with trained weights: no GPU, no network needed."""

from pathlib import Path

# How kernels lie on disk, in the order that export tries: bytes before packing.
FORMS = {"float16": 2, "float32": 4, "int8": 1, "int6": 0.75}

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"  # <recipe>/card.json ...
