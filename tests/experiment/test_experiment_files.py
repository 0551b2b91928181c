"""Every file in experiments/ loads and runs, on real digits at toy size."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from nextlabel.cli import main
from nextlabel.engine.plan import out_of_reach
from nextlabel.experiment.parse import load_experiment
from nextlabel.features.cache import Cache
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import trials
from nextlabel.trial.trial import run_trial

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "experiments").glob("*.toml"))
TOY = (
    "data.name=digits",
    "data.train=120",
    "data.validation=60",
    "data.test=30",
    "training.device=cpu",
    "seeds=[0]",
    "initial=20",
    "batch=10",
    "target=30",
)
NETWORK = (
    "model={name='small_cnn', weights='random'}",
    "training.epochs={initial=1, step=0}",
    "training.min_steps=1",
)


def toy(file):
    """Return the overrides that make an experiment a matter of seconds."""
    raw = tomllib.loads(file.read_text())
    quick = [f"blocks.{b}.epochs=1" for b, s in raw.get("blocks", {}).items() if "epochs" in s]
    if raw["model"].get("image_size"):
        quick.append("model.image_size=8")
    on_blocks = raw["model"]["name"] == "linear"  # takes no time to train
    return [*TOY, *(() if on_blocks else NETWORK), *quick]


RUN = [file for file in FILES if file.stem not in ("spaces_mnist", "spaces_pneumonia")]
"""The two have the arms of spaces_digits: see the test below."""


@pytest.mark.parametrize("name", ["spaces_mnist", "spaces_pneumonia"])
def test_experiments_on_spaces_differ_in_their_data_alone(name):
    spec, digits = (
        load_experiment(ROOT / f"experiments/{n}.toml") for n in (name, "spaces_digits")
    )
    assert spec.model == digits.model.model_copy(update={"image_size": None})
    for field in ("arms", "hypotheses", "blocks", "training", "primary", "seeds", "target"):
        assert getattr(spec, field) == getattr(digits, field), field


@pytest.mark.slow
@pytest.mark.parametrize("file", RUN, ids=lambda f: f.stem)
def test_every_experiment_runs_at_toy_size(file, tmp_path):
    spec = load_experiment(file, toy(file))
    data, cache = load_data(spec, None), Cache(tmp_path)
    assert [trial.arm for trial in trials(spec)] == list(spec.arms)
    begun = {}
    for trial in trials(spec):
        found = [r for r, _ in run_trial(trial, data, cache)]
        assert [r.labelled_count for r in found] == [20, 30]
        assert np.isfinite([v for r in found for v in r.metrics.values()]).all()
        begun.setdefault(trial.arm.start, set()).add(frozenset(found[0].chosen.tolist()))
    assert len(begun["random"]) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_files_say_what_they_are(file):
    spec = load_experiment(file)
    assert spec.name == file.stem
    assert file.read_text().startswith("# ")
    assert spec.primary or spec.hypotheses or spec.name == "alpha"
    assert max(map(len, file.read_text().splitlines())) <= 100


@pytest.mark.parametrize("name", ["paper_mnist", "paper_chestmnist"])
def test_the_papers_settings_are_kept_to_the_letter(name):
    spec = load_experiment(ROOT / "experiments" / f"{name}.toml")
    mnist = name == "paper_mnist"
    assert (len(spec.seeds), spec.initial, spec.batch) == (5, 3000, 3000)
    assert spec.target == (24_000 if mnist else 27_000)
    assert spec.data.train == (25_000 if mnist else 30_000)
    assert spec.data.validation == (35_000 if mnist else None)
    assert spec.data.name == ("mnist" if mnist else "chestmnist")
    assert spec.data.test == (10_000 if mnist else None)
    model, training, vae = spec.model, spec.training, spec.block("vae")
    weights = "random" if mnist else "imagenet"  # the one departure, which the file states
    assert (model.name, model.weights, model.batch_norm) == ("resnet18", weights, "running")
    assert (model.image_size, model.block) == (None, None)
    assert (training.learning_rate, training.momentum, training.weight_decay) == (0.001, 0.9, 0)
    assert (training.batch_size, training.schedule, training.refit) == (64, "constant", "scratch")
    assert (training.epochs.initial, training.epochs.step, training.min_steps) == (10, 5, 0)
    assert (training.train_until, training.precision) == (None, "bf16" if mnist else "fp32")
    assert (vae.epochs, vae.learning_rate, vae.weight_decay) == (20, 0.001, 0.005)
    assert (vae.latent, vae.batch_size, vae.likelihood, vae.beta) == (32, 64, "bernoulli", 1)
    assert vae.upsample == "first"
    loss = spec.loss_prediction
    assert (loss.margin, loss.weight, loss.width, loss.stop) == (1, 1, 128, 0.6)
    arms = [(a.name, a.strategy, dict(a.features), dict(a.side), a.baseline) for a in spec.arms]
    task, both, vae_alone = {"task": 1.0}, {"task": 1.0, "vae": 1.0}, {"vae": 1.0}
    assert arms == [
        ("core-set", "core_set", task, {}, None),
        ("core-set + VAE", "core_set", both, {}, "core-set"),
        ("loss prediction", "predicted_loss", task, {}, None),
        ("loss prediction + VAE", "predicted_loss", task, vae_alone, "loss prediction"),
    ]
    for arm in spec.arms:
        assert (arm.scale, arm.start, dict(arm.options)) == ("none", "random", {})
        assert arm.loss_head is False


@pytest.mark.parametrize("name", ["low_budget", "low_budget_pneumonia"])
def test_both_hypotheses_are_stated_in_the_file(name):
    spec = load_experiment(ROOT / "experiments" / f"{name}.toml")
    covering = {
        space: tuple(f"{s}, {space}" for s in ("TypiClust", "MaxHerding", "UHerding"))
        for space in ("PCA", "VAE")
    }
    first, second = spec.hypotheses
    assert (first.arms, first.against) == (covering["PCA"], ("random",))
    assert (second.arms, second.against) == (covering["VAE"], covering["PCA"])
    assert {h.alternative for h in spec.hypotheses} == {"greater"} and len(spec.seeds) >= 10
    for space, names in covering.items():
        for arm in map(spec.arm, names):
            assert (arm.start, dict(arm.features)) == ("typiclust", {space.lower(): 1.0})


@pytest.mark.parametrize("name", ["digits", "mnist", "pneumonia", "messy"])
def test_the_spaces_state_hypotheses_that_ten_seeds_can_support(name):
    spec = load_experiment(ROOT / "experiments" / f"spaces_{name}.toml")
    assert len(spec.seeds) == 10 and out_of_reach(spec) == ()
    stated = [claim.name.partition(":")[0] for claim in spec.hypotheses]
    messy = name == "messy"
    assert stated == ["H1", "H2", "H3", "H4", "H5", *["H6"] * 5, *["H7"] * (2 * messy)]
    assert messy == (spec.data.messy is not None)
    two_sided = {c.name[:2] for c in spec.hypotheses if c.alternative == "two-sided"}
    assert two_sided == {"H6"}


def test_the_demo_has_arms_on_pretrained_features_next_to_a_vae():
    spec = load_experiment(ROOT / "experiments/digits.toml")
    both = {"pretrained": 1.0, "vae": 1.0}
    chance, chosen = (spec.arm(f"{name}, pretrained + VAE") for name in ("random", "UHerding"))
    assert chosen.features == both and chosen.baseline == chance.name
    assert spec.model_of(chance).blocks == spec.model_of(chosen).blocks == both


def test_the_messy_pool_names_the_components_of_a_mixture():
    spec = load_experiment(ROOT / "experiments/spaces_messy.toml")
    named = [arm for arm in spec.arms if spec.model_of(arm).name == "named_mixture"]
    assert [arm.strategy for arm in named] == ["random", "uherding"]
    assert {spec.model_of(arm).block for arm in named} == {"vae_mixture"}
    (epig,) = (arm for arm in spec.arms if arm.strategy == "epig")
    assert spec.model_of(epig).blocks == {"ccvae": 1.0}


def test_alpha_takes_six_values():
    arms = load_experiment(ROOT / "experiments/alpha.toml").arms
    assert [arm.features.get("vae", 0) for arm in arms] == [0, 0.1, 0.3, 1, 3, 10]


@pytest.mark.slow
def test_low_budgets_run_from_the_command_line_and_hypotheses_are_judged(tmp_path, capsys):
    file = ROOT / "experiments/low_budget.toml"
    changes = [word for change in toy(file) for word in ("--set", change)]
    out, cache = str(tmp_path / "out"), str(tmp_path / "cache")
    command = ["run", str(file), *changes, "--out", out, "--cache-dir", cache]
    assert main(command) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "Of 2 hypotheses stated in the experiment, none is supported." in said
    html = (tmp_path / "out/report.html").read_text()
    assert "“covering a PCA space beats random” cannot be tested: over 1 paired seed the" in html
    assert (tmp_path / "out/hypotheses.csv").is_file()


def test_the_demo_has_the_experiment_of_the_folder():
    """A link in its place would break where the folder is copied or links are not made."""
    shown, packaged = (
        ROOT / "experiments/digits.toml",
        ROOT / "src/nextlabel/experiments/digits.toml",
    )
    assert not shown.is_symlink() and shown.read_bytes() == packaged.read_bytes()
