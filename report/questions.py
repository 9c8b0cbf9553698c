"""The questions of the reports, and where each is answered.

`python -m report.questions` prints them. An answer is a figure (`fig2_3`) or a section of
report.pdf (`@samples`, a label of report.typ); a test holds the places to be there. A
figure that was not drawn yet is said to be missing; of one that report.pdf shows of
another report's network, the command that draws it of this report's.
"""

from cli import run_cli
from inference.problems import PROBLEMS
from models import WEIGHTS
from models.recipes import RECIPES
from report import FIGURES

# (report, number, question, places)
QUESTIONS = (
    ("A", "1.1", "the VAE's model and its training", ("@vae_tables", "@chosen")),
    ("A", "1.2", "learning curves", ("fig1_2",)),
    ("A", "1.3", "reconstructions, MSE of the test set", ("fig1_3", "@vaes")),
    ("A", "1.4", "samples from the prior", ("fig1_4", "@fitted")),
    ("A", "1.5", "t-SNE of the codes, by Male", ("fig1_5",)),
    ("A", "1.6", "autoencoder against VAE", ("short_code",)),
    ("A", "2.1", "the GAN's model", ("@gan_tables", "@chosen")),
    ("A", "2.2", "learning curves", ("fig2_2",)),
    ("A", "2.3", "32 random images", ("fig2_3",)),
    (
        "A",
        "2.4",
        "what breaks; RMSProp against Adam and SGD",
        ("fig2_4", "short_optimizer"),
    ),
    ("A", "2.5", "GAN against VAE", ("@samples",)),
    ("A", "3.1", "the ACGAN's model", ("@acgan_tables", "@chosen")),
    ("A", "3.2", "learning curves", ("fig3_2",)),
    ("A", "3.3", "10 pairs", ("fig3_3",)),
    (
        "B",
        "1.1-1.5",
        "VAE: model, curves, MSE, samples, t-SNE",
        ("@vaes", "fig1_2", "fig1_3", "fig1_4", "fig1_5"),
    ),
    ("B", "1.6", "a code of 512 against 1024", ("short_code",)),
    ("B", "2.1", "the GAN's model", ("@gan_tables", "@chosen")),
    ("B", "2.2", "real and fake loss go up and down, near 0.6", ("short_seesaw_steps",)),
    ("B", "2.3", "32 images", ("fig2_3",)),
    ("B", "2.4, 2.5", "what was learned; GAN against VAE", ("@samples",)),
    ("B", "3", "ACGAN: model, curves, pairs", ("@acgan_tables", "fig3_2", "fig3_3")),
    ("B", "bonus 1", "InfoGAN: 5 faces in 7 categories", ("fig4_3",)),
    ("B", "bonus 2", "what the categories mean", ("fig4_3",)),
    ("B", "bonus 3", "two mixed; an embedding collapses", ("fig4_4", "short_embedding")),
    ("C", "1.1", "the VAE, layer by layer", ("@vae_tables", "@chosen")),
    ("C", "1.2", "KLD and MSE by step", ("fig1_2",)),
    ("C", "1.3", "reconstructions; test MSE about 0.0291", ("fig1_3", "@vaes")),
    ("C", "1.4", "32 samples from the prior", ("fig1_4", "fig1_6")),
    ("C", "1.5", "t-SNE of the codes, by Bangs", ("fig1_5",)),
    ("C", "1.6", "no normalisation, uniform noise, batch 1,000", ("short_mistakes",)),
    ("C", "2.1", "the DCGAN, layer by layer", ("@gan_tables", "@chosen")),
    ("C", "2.2", "losses by step; D's settles near 0.5", ("fig2_2",)),
    ("C", "2.3", "32 images; failures boxed", ("fig2_3", "fig2_4")),
    ("C", "2.4", "flip, more D steps, more epochs", ("short_tricks", "short_epochs")),
    ("C", "2.5", "GAN against VAE", ("@samples",)),
    ("C", "3.1", "the ACGAN, layer by layer", ("@acgan_tables", "@chosen")),
    ("C", "3.2", "losses and accuracies", ("fig3_2",)),
    ("C", "3.3", "10 pairs", ("fig3_3",)),
    ("D", "1a", "the first 100 images", ("fig5_1",)),
    ("D", "1b", "16 healthy images, seed 34", ("fig5_2",)),
    ("D", "2", "another GAN: WGAN-GP, LSGAN", ("fig5_3", "@cures-measured")),
    ("D", "3a", "DCGAN against WGAN-GP", ("@cures-measured",)),
    ("D", "3b", "16 collapsed images, seed 4", ("fig5_7",)),
    ("D", "3c", "the cures, side by side and later", ("fig5_4", "fig5_5", "fig5_6")),
    ("E", "1", "preprocessing; a code of 20 or 50", ("@short", "short_latent")),
    ("E", "2", "negative ELBO by epoch", ("fig6_1",)),
    ("E", "3", "reconstructions at epochs 10, 50, 100", ("fig6_2",)),
    ("E", "4", "samples beside real images", ("fig6_3",)),
    ("E", "5", "from one image's code to another's", ("fig6_4",)),
    ("E", "6, 7", "KL x100 and x0, the loss that was minimised", ("fig6_1", "@kls")),
)
NOT_DRAWN_HERE = ("fig5_1",)  # photographs and pictures that are not ours to print


def main():
    for report, number, question, places in QUESTIONS:
        where = ", ".join(place + missing(place) for place in places)
        print(f"{report} {number:9}{question:48}{where}{own(report, places)}")
    return 0


def own(report, places, root=WEIGHTS):
    """How figures of problems are drawn of this report's own networks, if report.pdf
    shows them of another's."""
    said = []
    for number, (problem, shown) in enumerate(PROBLEMS.items(), 1):
        if not any(place.startswith(f"fig{number}_") for place in places):
            continue
        names = [
            r.name
            for r in RECIPES.values()
            if (r.report, r.traits.figures) == (report, problem)
        ]
        for name in names if shown not in names else ():
            trained = (root / name / "card.json").exists()
            command = f"bash hw4_{problem}.sh <data> <out> {name}"
            said.append(f" (of {shown}; {command if trained else f'{name}: no weights'})")
    return "".join(said)


def missing(place):
    """What is said of a place whose figure does not exist."""
    if place.startswith("@") or place in NOT_DRAWN_HERE:
        return ""
    return "" if (FIGURES / f"{place}.jpg").exists() else " (not drawn yet)"


if __name__ == "__main__":
    run_cli(main)
