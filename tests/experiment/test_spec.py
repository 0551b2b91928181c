import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextlabel.core.errors import UsageError
from nextlabel.data.settings import DataSettings
from nextlabel.experiment.arm import Arm
from nextlabel.experiment.parse import load_experiment, parse_experiment
from nextlabel.experiment.spec import Experiment
from nextlabel.features.blocks import BLOCKS
from nextlabel.models.settings import (
    Epochs,
    LossPredictionSettings,
    TrainingSettings,
    TrainUntil,
)
from nextlabel.models.task_models.resnet18 import ResNet18Settings
from refusals import refused

TEXT = """
name = "small"
seeds = 3
initial = 10
batch = 5
target = 30
primary = "b"
[data]
name = "digits"
[model]
weights = "random"
[[arms]]
name = "a"
strategy = "random"
[[arms]]
name = "b"
strategy = "core_set"
features = { task = 1.0, vae = 0.5 }
baseline = "a"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    return path


def test_toml_goes_there_and_back(file):
    experiment = load_experiment(file)
    assert experiment.seeds == (0, 1, 2)
    assert experiment.arm("b").features == {"task": 1.0, "vae": 0.5}
    assert experiment.training.epochs.initial == 10
    assert parse_experiment(tomllib.loads(experiment.to_toml())) == experiment


CLAIM = """
[[hypotheses]]
name = "b beats a"
arms = ["b"]
against = ["a"]
"""


def test_an_error_of_ours_within_an_arm_keeps_its_code(monkeypatch):
    def refuse(*_):
        raise UsageError("no such space", code="space-refused")

    monkeypatch.setattr("nextlabel.experiment.arm.FeatureSpace", refuse)
    with refused(UsageError, "space-refused", match="^experiment: arms.a: no such space$"):
        parse_experiment(tomllib.loads(TEXT))
    with refused(UsageError, "invalid-setting"):
        parse_experiment(tomllib.loads(TEXT) | {"batch": 0})


def test_hypotheses_are_read_and_kept(file):
    file.write_text(TEXT + CLAIM)
    experiment = load_experiment(file)
    (found,) = experiment.hypotheses
    assert (found.arms, found.against, found.alternative) == (("b",), ("a",), "greater")
    assert parse_experiment(tomllib.loads(experiment.to_toml())) == experiment


@pytest.mark.parametrize(
    ("override", "code", "message"),
    [
        ('hypotheses.0.arms=["c"]', "unknown-arm", "'b beats a' names 'c', which is not an arm; "),
        (
            'hypotheses.0.against=["b"]',
            "named-twice",
            "'b beats a' names arm 'b' twice; name each arm once",
        ),
        ('hypotheses.0.arms=["b", "b"]', "named-twice", "'b beats a'.*'b'"),
        (
            "hypotheses.0.arms=[]",
            "invalid-setting",
            "an empty list must have at least 1 item; add one",
        ),
        ("hypotheses.0.alternative=less", "invalid-setting", "'greater' or 'two-sided'"),
        (
            "hypotheses.0.agains=x",
            "unknown-key",
            "unknown key hypotheses.'b beats a'.agains; did you mean 'against'",
        ),
    ],
)
def test_hypotheses_that_cannot_be_tested_are_refused(file, override, code, message):
    file.write_text(TEXT + CLAIM)
    with refused(UsageError, code, match=message):
        load_experiment(file, [override])
    file.write_text(TEXT + CLAIM + CLAIM)
    with refused(UsageError, "named-twice", match="hypothesis 'b beats a' is there twice"):
        load_experiment(file)


def test_it_is_frozen(file):
    with pytest.raises(ValueError, match="frozen"):
        load_experiment(file).target = 3


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("arms.1.features.vae=2", lambda e: e.arms[1].features["vae"] == 2),
        ("arms.b.features.vae = 2", lambda e: e.arms[1].features["vae"] == 2),
        ('arms.b.features."my.npy"=0.5', lambda e: e.arms[1].features["my.npy"] == 0.5),
        ("data.name=mnist", lambda e: e.data.name == "mnist"),
        ("seeds=[7,9]", lambda e: e.seeds == (7, 9)),
        ("training.epochs={initial=3,step=1}", lambda e: e.training.epochs.step == 1),
        ("training.train_until.cap=20", lambda e: e.training.train_until.cap == 20),
    ],
)
def test_overrides(file, override, read):
    assert read(load_experiment(file, [override]))


@pytest.mark.parametrize(
    ("override", "code", "message"),
    [
        ("bacth=3", "unknown-key", r"^\S+\.toml: unknown key bacth; did you mean 'batch'"),
        ("data.nam=digits", "unknown-key", "'name'"),
        ("arms.0.featurs.vae=1", "unknown-key", "'features'"),
        ("blocks.vae.latnt=3", "unknown-key", "'latent'"),
        (
            "arms.0.strategy=coreset",
            "unknown-name",
            "unknown strategy 'coreset'; did you mean 'core_set'",
        ),
        ("arms.1.features.vea=1", "unknown-name", "'vea'.*'vae'"),
        ("arms.1.baseline=c", "unknown-arm", "baseline 'c' of arm 'b' is not an arm"),
        ("primary=a", "primary-without-baseline", "primary 'a' has no baseline"),
        ("primary=z", "unknown-arm", "'z'"),
        ("target=3", "target-too-small", "target 3 is below initial 10"),
        ("seeds=[1,1]", "named-twice", "seed 1 is there twice"),
        ("seeds=[-1]", "seed-out-of-range", "seed -1 must lie between 0"),
        ("seeds=[9223372036854775808]", "seed-out-of-range", "0"),
        ("seeds=10001", "too-many-seeds", "seeds 10001 are too many; give at most 10000"),
        ("seeds=0", "too-few-seeds", "seeds 0 counts the seeds and must be at least 1"),
        ("batch=0", "invalid-setting", "batch: 0 must be at least 1; raise it"),
        ("initial=many", "invalid-setting", "initial: 'many' must be a whole number; write it"),
        ("arms.1.name=a", "named-twice", "'a'"),
        ("arms.5.name=x", "no-such-position", "'5' must be a number from 0 to 1 or a name"),
        ("arms.1.features={task=0.0,vae=0.0}", "weights-all-zero", "every block has weight 0"),
        (
            "arms.b.features={task=-1}",
            "bad-block-weight",
            "arms.b: weight -1.0 of block 'task' is not a finite number",
        ),
        (
            "arms.1.options={entropy_top=3}",
            "unknown-option",
            "strategy 'core_set' has no option 'entropy_top'",
        ),
        ("training.learning_rate=inf", "invalid-setting", "learning_rate: .*finite"),
        ("model.name=resnet19", "unknown-name", "model.name"),
        ("name=../x", "invalid-setting", "name: "),
        ("target", "override-without-value", "has no value; write key=value"),
        ("data=7", "invalid-setting", "data: "),
    ],
)
def test_what_is_wrong_is_said_by_name(file, override, code, message):
    with refused(UsageError, code, match=message):
        load_experiment(file, [override])


@pytest.mark.parametrize(
    ("override", "code", "message"),
    [
        ("initial=true", "invalid-setting", "initial: true must be a whole number; write it"),
        (
            "target=100.0",
            "invalid-setting",
            "target: 100.0 must be a whole number; write it without quotes and dec",
        ),
        (
            'batch="5"',
            "invalid-setting",
            "batch: '5' must be a whole number; write it without quotes",
        ),
        ('seeds="5"', "invalid-setting", "seeds: '5' must be a list; put it in brackets"),
        ("seeds=true", "invalid-setting", "seeds: true must be a list"),
        ("seeds=[true]", "invalid-setting", "seeds.0: true must be a whole number"),
        ("seeds=[1.0]", "invalid-setting", "seeds.0: 1.0 must be a whole number"),
        ("name=7", "invalid-setting", "name: 7 must be text; put it in quotes"),
        (
            "name=2020-01-01",
            "invalid-setting",
            "2020-01-01 is a date or a time, .* put it in quotes",
        ),
        ("headline=[1]", "invalid-setting", "headline: a list must be text"),
        (
            'data={name="folder", path=7}',
            "invalid-setting",
            "data.path: 7 must be a path; put it in quotes",
        ),
        (
            "data.channels=true",
            "invalid-setting",
            "data.channels: true must be 1 or 3; choose one of them",
        ),
        (
            "data.channels=1.0",
            "invalid-setting",
            "data.channels: 1.0 must be 1 or 3; choose one of them",
        ),
        (
            "data.channels=2",
            "invalid-setting",
            "data.channels: 2 must be 1 or 3; choose one of them",
        ),
        (
            "training.learning_rate='0.1'",
            "invalid-setting",
            "learning_rate: '0.1' must be a number; write it without",
        ),
        (
            "training.learning_rate=-1",
            "invalid-setting",
            "training.learning_rate: -1 must be greater than 0; raise",
        ),
        (
            "training.learning_rate=true",
            "invalid-setting",
            "training.learning_rate: true must be a number",
        ),
        (
            "training.learning_rate=nan",
            "invalid-setting",
            "training.learning_rate: nan must be finite; give another",
        ),
        (
            "training.momentum=1",
            "invalid-setting",
            "training.momentum: 1 must be less than 1; lower it",
        ),
        (
            "training.threads=300",
            "invalid-setting",
            "training.threads: 300 must be at most 256; lower it",
        ),
        (
            "training.epochs=3",
            "invalid-setting",
            "training.epochs: 3 must be a table; put it in braces",
        ),
        (
            "arms.0.features.task=true",
            "invalid-setting",
            "arms.a.features.task: true must be a number",
        ),
        (
            "arms.0.features.task=-1",
            "bad-block-weight",
            "weight -1.* is not a finite number of at least 0",
        ),
        (
            'arms.0.name=""',
            "invalid-setting",
            "arms.0.name: '' must have at least 1 character; write some",
        ),
        ("arms.0.options=3", "invalid-setting", "arms.a.options: 3 must be a table"),
        (
            "arms.0.scale=3",
            "invalid-setting",
            "arms.a.scale: 3 must be 'none', 'rms' or 'unit'; choose",
        ),
        (
            "blocks.vae.latent=true",
            "invalid-setting",
            "small.toml: blocks.vae.latent: true must be a whole number",
        ),
        (
            "blocks.vae.beta=-1",
            "invalid-setting",
            "small.toml: blocks.vae.beta: -1 must be at least 0; raise it",
        ),
    ],
)
def test_a_value_is_of_the_type_that_toml_has_for_it(file, override, code, message):
    with refused(UsageError, code, match=message):
        load_experiment(file, [override])


def test_a_file_that_says_former_keys_for_every_source_is_read_as_ever(file):
    data = ['data.unreadable="refuse"', "data.validation_fraction=0.2", "data.max_pixels=100000000"]
    assert load_experiment(file, data) == load_experiment(file)
    with refused(UsageError, "unknown-key"):
        load_experiment(file, ['data.unreadable="skip"'])


def test_a_whole_number_is_a_number_and_a_long_value_is_cut(file):
    assert load_experiment(file, ["training.learning_rate=1"]).training.learning_rate == 1.0
    with refused(UsageError, "invalid-setting", match=r"initial: 'x{59}… must be"):
        load_experiment(file, ["initial=" + "x" * 200])


def test_files_that_cannot_be_read(tmp_path):
    with refused(UsageError, "experiment-file-unreadable", match="cannot read"):
        load_experiment(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = [")
    with refused(UsageError, "not-toml", match="is not valid TOML"):
        load_experiment(broken)
    broken.write_bytes(b"\xff\xfe")
    with refused(UsageError, "not-utf-8", match="is not UTF-8"):
        load_experiment(broken)
    broken.write_text(TEXT.replace('name = "small"', ""))
    with refused(UsageError, "invalid-setting"):
        load_experiment(broken)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.sampled_from(["name", "arms", "data", "model", "seeds", "target", "training", "x"])
trees = st.recursive(
    leaves, lambda t: st.lists(t, max_size=3) | st.dictionaries(keys, t, max_size=3), max_leaves=8
)


@given(st.dictionaries(keys, trees, max_size=5))
def test_any_values_are_refused_in_one_sentence(changes):
    raw = tomllib.loads(TEXT) | changes
    try:
        parse_experiment(raw)
    except UsageError as error:
        said = str(error)
        assert "\n" not in said and "Input should" not in said
        assert "; " in said and not said.endswith("; ")  # a remedy


TABLES = {
    "": Experiment,
    "data.": DataSettings,
    "model.": ResNet18Settings,
    "training.": TrainingSettings,
    "training.epochs.": Epochs,
    "training.train_until.": TrainUntil,
    "loss_prediction.": LossPredictionSettings,
    "arms.0.": Arm,
    "blocks.vae.": BLOCKS["vae"],
}
places = st.sampled_from([f"{at}{key}" for at, kind in TABLES.items() for key in kind.model_fields])


@settings(max_examples=400)
@given(places, trees)
def test_any_value_at_any_key_is_taken_as_it_is_or_refused_with_a_remedy(place, value):
    raw = tomllib.loads(TEXT)
    *parents, last = place.split(".")
    inside = raw
    for step in parents:
        inside = inside[0] if step == "0" else inside.setdefault(step, {})
    inside[last] = value
    try:
        experiment = parse_experiment(raw)
    except UsageError as error:
        said = str(error)
        assert "\n" not in said and "Input should" not in said
        assert "; " in said and not said.endswith("; ")  # a remedy
        return
    found = experiment.resolved()
    for step in parents:
        found = found[0] if step == "0" else found[step]
    if place != "seeds" and not isinstance(value, dict) and last in found:
        assert found[last] == value and isinstance(found[last], bool) == isinstance(value, bool)


@pytest.mark.parametrize("key", ["strategy", "start"])
def test_a_fault_in_a_strategy_names_file_and_arm(key, tmp_path):
    file = tmp_path / "small.toml"
    file.write_text('seeds = [0]\ninitial = 1\nbatch = 1\ntarget = 2\n[data]\nname = "digits"\n')
    strategies = {"strategy": "random", key: "typiclst"}
    table = ", ".join(f'{name} = "{value}"' for name, value in strategies.items())
    arm = [f'arms=[{{name = "mine", {table}}}]', 'name="small"']
    with refused(UsageError, "unknown-name", match="small.toml: arm 'mine': unknown strategy"):
        load_experiment(file, arm)
