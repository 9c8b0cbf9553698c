"""t-SNE in a process of its own, which imports neither Keras nor TensorFlow.

It starts while the parent still imports them, on the core that is then idle.
"""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from cli import UserError, run_cli


class Embedding:
    """The points of a t-SNE that is calculated in the background.

    At the end of a `with` block that did not ask for them, the calculation ends, too.
    """

    def __init__(self):
        # By default scikit-learn's threads wait for each other in busy loops, which
        # takes the cores from the networks.
        env = os.environ | {"OMP_WAIT_POLICY": "passive"}
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "inference.tsne"],
            stdin=subprocess.PIPE,
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
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def begin(self, codes):
        """Send the codes, float32 `(n, latent)`."""
        # Where the pipe is broken, the process has failed; `result` says so.
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(packed(codes))

    def result(self):
        """Wait for the points, float32 `(n, 2)`; the same codes, the same points.

        Raises:
            UserError: the process ended early; what it wrote on stderr says why.
        """
        with self._process.stdout as pipe:
            found = pipe.read()
        if status := self._process.wait():
            raise UserError(f"t-SNE of the codes ended with status {status}")
        return np.load(io.BytesIO(found))


def packed(array):
    """An array as the bytes of a .npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tsne(codes):
    """Codes `(n, latent)` -> points `(n, 2)`; the same codes, the same points."""
    from sklearn.manifold import TSNE

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
    from sklearn import manifold  # noqa: F401 - while the codes are still calculated

    received = sys.stdin.buffer.read()
    if not received:  # the parent has ended before it had codes
        return
    codes = np.load(io.BytesIO(received))
    sys.stdout.buffer.write(packed(tsne(codes)))


if __name__ == "__main__":
    run_cli(main)
