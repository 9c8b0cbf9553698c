"""t-SNE in a process of its own, which imports neither Keras nor TensorFlow, while the
parent draws."""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cli import UserError, run_cli


class Embedding:
    """The points of a t-SNE that is calculated in the background.

    At the end of a `with` block that did not take them, the calculation ends, too.

    Args:
        codes: float32 `(n, latent)`.
    """

    def __init__(self, codes):
        self.codes = codes
        # By default scikit-learn's threads wait for each other in busy loops, which
        # takes the cores from the networks.
        env = os.environ | {"OMP_WAIT_POLICY": "passive"}
        with tempfile.TemporaryFile() as file:
            np.save(file, codes)
            file.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-m", "inference.tsne"],
                stdin=file,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).resolve().parent.parent,
                env=env,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def result(self):
        """Wait for the points, float32 `(n, 2)`; the same codes, the same points.

        Raises:
            UserError: the process ended early; what it wrote on stderr says why.
        """
        found = self._process.stdout.read()
        if status := self._process.wait():
            raise UserError(f"t-SNE of the codes ended with status {status}")
        return np.load(io.BytesIO(found))


def tsne(codes):
    """Codes `(n, latent)` -> points `(n, 2)`; the same codes, the same points."""
    from sklearn.manifold import TSNE  # takes a second

    if not np.ptp(codes, axis=0).any():  # scikit-learn would crash
        return np.zeros((len(codes), 2), "float32")
    perplexity = min(30.0, (len(codes) - 1) / 3)
    # Of 2,621 codes of vae_c, the usual angle of 0.5 and 1,000 steps reach a KL of 2.890
    # in 19.2 s of processor time, and keep 12.7 % of each code's 30 nearest among the
    # point's; these 2.899 in 7.0 s, and 12.3 %. Trustworthiness 0.696 and 0.692.
    mapper = TSNE(
        2,
        perplexity=perplexity,
        angle=0.8,
        max_iter=450,
        init="pca",
        random_state=0,
    )
    return mapper.fit_transform(codes)


def main():
    codes = np.load(io.BytesIO(sys.stdin.buffer.read()))
    points = io.BytesIO()  # a pipe has no places, which np.save asks for
    np.save(points, tsne(codes))
    sys.stdout.buffer.write(points.getvalue())


if __name__ == "__main__":
    run_cli(main)
