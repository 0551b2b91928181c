import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import UsageError
from nextlabel.lab.parse import load_experiment, parse_experiment

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


def test_hypotheses_are_read_and_kept(file):
    file.write_text(TEXT + CLAIM)
    experiment = load_experiment(file)
    (found,) = experiment.hypotheses
    assert (found.arms, found.against, found.alternative) == (("b",), ("a",), "greater")
    assert parse_experiment(tomllib.loads(experiment.to_toml())) == experiment


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ('hypotheses.0.arms=["c"]', "'b beats a' speaks of 'c', which is no arm; "),
        ('hypotheses.0.against=["b"]', "'b beats a' names arm 'b' twice; let each arm stand once"),
        ('hypotheses.0.arms=["b", "b"]', "'b beats a' names arm 'b' twice"),
        ("hypotheses.0.arms=[]", "at least 1 item"),
        ("hypotheses.0.alternative=less", "'greater' or 'two-sided'"),
        ("hypotheses.0.agains=x", "unknown key hypotheses.0.agains; did you mean 'against'"),
    ],
)
def test_hypotheses_that_cannot_be_tested_are_refused(file, override, message):
    file.write_text(TEXT + CLAIM)
    with pytest.raises(UsageError, match=message):
        load_experiment(file, [override])
    file.write_text(TEXT + CLAIM + CLAIM)
    with pytest.raises(UsageError, match="hypothesis 'b beats a' stands twice"):
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
    ("override", "message"),
    [
        ("bacth=3", "unknown key bacth; did you mean 'batch'"),
        ("data.nam=digits", "unknown key data.nam; did you mean 'name'"),
        ("arms.0.featurs.vae=1", "unknown key arms.0.featurs; did you mean 'features'"),
        ("blocks.vae.latnt=3", "unknown key blocks.vae.latnt; did you mean 'latent'"),
        ("arms.0.strategy=coreset", "unknown strategy 'coreset'; did you mean 'core_set'"),
        ("arms.1.features.vea=1", "unknown feature block 'vea'; did you mean 'vae'"),
        ("arms.1.baseline=c", "baseline 'c' of arm 'b' is no arm"),
        ("primary=a", "primary 'a' has no baseline"),
        ("primary=z", "primary 'z' is no arm"),
        ("target=3", "target 3 is below initial 10"),
        ("seeds=[1,1]", "seed 1 stands twice"),
        ("seeds=[-1]", "seed -1 must lie between 0"),
        ("seeds=[9223372036854775808]", "must lie between 0 and"),
        ("seeds=10001", "seeds 10001 are too many; give at most 10000"),
        ("seeds=0", "seeds"),
        ("batch=0", "batch: .*greater than or equal to 1 .got 0"),
        ("initial=many", "initial: .*got 'many'"),
        ("arms.1.name=a", "arm 'a' stands twice"),
        ("arms.5.name=x", "'5' must be a number from 0 to 1 or a name"),
        ("arms.1.features={task=0.0,vae=0.0}", "every block has weight 0"),
        ("arms.1.options={entropy_top=3}", "strategy 'core_set' has no option 'entropy_top'"),
        ("training.learning_rate=inf", "learning_rate: .*finite"),
        ("model.name=resnet19", "model.name"),
        ("name=../x", "name: "),
        ("target", "has no value; write key=value"),
        ("data=7", "data: "),
    ],
)
def test_what_is_wrong_is_said_by_name(file, override, message):
    with pytest.raises(UsageError, match=message):
        load_experiment(file, [override])


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load_experiment(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = [")
    with pytest.raises(UsageError, match="is not valid TOML"):
        load_experiment(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8"):
        load_experiment(broken)
    broken.write_text(TEXT.replace('name = "small"', ""))
    with pytest.raises(UsageError, match="name: is missing"):
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
        assert "\n" not in str(error)
