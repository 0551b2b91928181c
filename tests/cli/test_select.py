"""`nextlabel select`: the ids that the library gives, and one sentence for what does not fit."""

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel import select
from nextlabel.cli import main
from nextlabel.features.embedding_file import EmbeddingFile

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(30, 4)).astype(np.float32)
OTHER = RNG.normal(size=(30, 2))
CHANCES = RNG.dirichlet(np.ones(3), 30)
NAMES = [f"folder/{i:02}.png" for i in range(30)]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", ROWS)
    np.save("v.npy", OTHER)
    np.save("p.npy", CHANCES)
    EmbeddingFile(ROWS, tuple(NAMES)).save(tmp_path / "named.npz")
    (tmp_path / "done.txt").write_text("3\n7\n")
    (tmp_path / "skip.txt").write_text("1\n")
    return tmp_path


def chosen(capsys, *arguments):
    assert main(["select", *arguments]) == 0
    out, err = capsys.readouterr()
    assert not err
    return out.split()


def numbers(ids):
    return [str(i) for i in ids.tolist()]


def test_ids_come_in_order_one_a_line(files, capsys):
    found = chosen(capsys, "--features", "x.npy", "--budget", "5", "--labelled", "done.txt")
    assert found == numbers(select(ROWS, budget=5, labelled=[3, 7]))


def test_every_option_reaches_the_library(files, capsys):
    settings = {
        "budget": 4,
        "strategy": "medal",
        "options": {"entropy_top": 9},
        "weights": {"task": 1, "vae": 0.5},
        "scale": "none",
        "probabilities": CHANCES,
        "labelled": [3, 7],
        "seed": 3,
    }
    blocks = {"task": ROWS, "vae": OTHER}
    first = select(blocks, **settings)[0]  # so that excluding it changes the picks
    (files / "skip.txt").write_text(f"{first}\n")
    found = chosen(
        capsys,
        *("--features", "x.npy", "--features", "vae=v.npy", "--weights", "task=1,vae=0.5"),
        *("--scale", "none", "--probabilities", "p.npy", "--labelled", "done.txt"),
        *("--exclude", "skip.txt", "--budget", "4", "--strategy", "medal"),
        *("--option", "entropy_top=9", "--seed", "3"),
    )
    assert found == numbers(select(blocks, **settings, excluded=[first]))
    for name, other in (
        ("options", {}),
        ("weights", {"task": 1, "vae": 5}),
        ("scale", "rms"),
        ("labelled", [0]),
    ):
        changed = select(blocks, **{**settings, name: other}, excluded=[first])
        assert found != numbers(changed), f"{name} does not matter here, so nothing is tested"


def test_unit_scale_picks_as_on_rows_of_length_one(files, capsys):
    arguments = ["--features", "x.npy", "--budget", "5", "--labelled", "done.txt"]
    found = chosen(capsys, *arguments, "--scale", "unit")
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    assert found == numbers(select(unit, budget=5, labelled=[3, 7]))
    assert found != chosen(capsys, *arguments)


def test_an_id_listed_twice_counts_once_with_a_warning(files, capsys):
    (files / "twice.txt").write_text("4\n5\n4\n")
    assert main(["select", *"--features x.npy --labelled twice.txt --budget 3".split()]) == 0
    out, err = capsys.readouterr()
    assert out.split() == numbers(select(ROWS, budget=3, labelled=[4, 5]))
    assert err == "warning: twice.txt, line 3: 4 is in line 1 already; each counts once\n"


def test_a_seed_decides_what_is_random(files, capsys):
    first, again, other = (
        chosen(capsys, "--features=x.npy", "--budget=9", "--strategy=random", f"--seed={seed}")
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_multi_label_probabilities_need_not_sum_to_one(files, capsys):
    arguments = ["--probabilities", "findings.npy", "--budget", "3", "--strategy", "entropy"]
    findings = np.full((5, 2), 0.9)
    findings[2] = 0.5
    np.save("findings.npy", findings)
    assert chosen(capsys, *arguments, "--multi-label")[0] == "2"
    assert main(["select", *arguments]) in (1, 2)
    assert "sum" in capsys.readouterr().err


def test_names_stand_for_ids_where_the_file_has_them(files, capsys):
    (files / "done.txt").write_text("folder/03.png\nfolder/07.png\n")
    arguments = ["--features", "named.npz", "--budget", "3", "--labelled", "done.txt"]
    expected = select(ROWS, budget=3, labelled=[3, 7])
    found = chosen(capsys, *arguments)
    assert found == [NAMES[i] for i in expected]
    assert main(["select", *arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["ids"] == expected.tolist()
    assert facts["names"] == found
    assert facts["strategy"] == "core_set"


def test_images_of_validation_and_test_are_not_chosen(files, capsys):
    part = np.repeat(["train", "validation", "test"], [20, 5, 5])
    EmbeddingFile(ROWS, tuple(NAMES), part).save(files / "parts.npz")
    (files / "done.txt").write_text("21\n1\n")  # labelled all the same
    (files / "skip.txt").write_text("22\n2\n")
    given = ("--labelled", "done.txt", "--exclude", "skip.txt")
    assert main(["select", "--features", "parts.npz", "--budget", "18", *given]) == 0
    out, err = capsys.readouterr()
    assert sorted(out.split()) == [name for i, name in enumerate(NAMES[:20]) if i not in (1, 2)]
    assert err == "8 images of validation and test cannot be chosen\n"
    assert main(["select", "--features", "parts.npz", "--budget", "19", *given]) == 2
    assert "budget 19 exceeds the 18" in capsys.readouterr().err


def test_json_without_names(files, capsys):
    assert main(["select", "--features", "x.npy", "--budget", "2", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert len(facts["ids"]) == len(facts["scores"]) == 2 and "names" not in facts


def test_a_constant_block_is_warned_of_and_one_image_picked(files, capsys):
    np.save("flat.npy", np.ones((6, 3)))
    assert main(["select", "--features", "flat.npy", "--budget", "3"]) == 0
    out, err = capsys.readouterr()
    assert out.split() == ["0"]
    assert err.startswith("warning: block 'features' is the same in every row")
    assert "warning: 1 of 3 images are chosen" in err
    assert all(line.startswith("warning: ") for line in err.splitlines())


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(files, capsys):
    np.save("a=b.npy", ROWS)
    assert chosen(capsys, "--features", "a=b.npy", "--budget", "1")


def broken(name, row):
    rows = ROWS.copy()
    rows[row, 1] = np.nan
    np.save(name, rows)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("--features x.npy --budget 31", 2, "budget 31 exceeds the 30 unlabelled images; lower"),
        ("--features x.npy --budget -1", 2, "'--budget'"),
        ("--features x.npy --budget 0", 2, "'--budget'"),
        ("--features x.npy --labelled done.txt --budget 29", 2, "exceeds the 28 unlabelled"),
        ("--features empty.npy --budget 1", 2, "the pool is empty"),
        ("--features nan.npy --budget 1", 1, "features"),
        ("--features x.npy --labelled out.txt --budget 1", 2, "id 30 is outside the pool of 30"),
        ("--features x.npy --labelled done.txt --exclude done.txt --budget 1", 2, "listed 2 times"),
        ("--features x.npy --features vae=short.npy --budget 1", 1, "has 5 rows but"),
        ("--features x.npy --features v.npy --budget 1", 2, "block 'task' is given twice"),
        ("--features x.npy --features =v.npy --budget 1", 2, "are not [NAME=]FILE"),
        ("--features x.npy --strategy corr_set --budget 1", 2, "did you mean 'core_set'?"),
        ("--features x.npy --strategy entropy --budget 1", 2, "needs probabilities"),
        ("--features x.npy --strategy predicted_loss --budget 1", 2, "choose another strategy"),
        ("--probabilities p.npy --budget 1", 2, "needs features, and none were given"),
        ("--budget 1", 2, "give one of them"),
        ("--features x.npy --weights vea=1 --budget 1", 2, "unknown block 'vea'"),
        ("--features x.npy --weights task=0 --budget 1", 2, "every block has weight 0"),
        ("--features x.npy --weights task=-1 --budget 1", 2, "weight -1.0 of block 'task'"),
        ("--features x.npy --option entropy_top=5 --budget 1", 2, "has no option 'entropy_top'"),
        ("--features x.npy --scale mean --budget 1", 2, "'--scale'"),
        ("--features nowhere.npy --budget 1", 1, "nowhere.npy cannot be read (No such file"),
        ("--features . --budget 1", 1, ". cannot be read (Is a directory); check the path"),
        ("--features done.txt --budget 1", 1, "done.txt is not a .npy or .npz file"),
        ("--features words.npy --budget 1", 1, "real numbers"),
        ("--features x.npy --labelled x.npy --budget 1", 1, "x.npy is not a text file"),
        ("--features named.npz --features v=other.npz --budget 1", 1, "row 2 is 'folder/02.png'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(arguments, code, says, files, capsys):
    np.save("empty.npy", np.empty((0, 3)))
    broken("nan.npy", 17)
    np.save("short.npy", ROWS[:5])
    np.save("words.npy", np.array([["a"], ["b"]]))
    (files / "out.txt").write_text("0\n30\n")
    EmbeddingFile(OTHER, (*NAMES[:2], "x.png", *NAMES[3:])).save(files / "other.npz")
    assert main(["select", *arguments.split()]) == code
    out, err = capsys.readouterr()
    assert not out
    assert says in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@given(
    rows=st.integers(0, 6),
    columns=st.integers(0, 3),
    budget=st.integers(-2, 8),
    labelled=st.lists(st.integers(-1, 7), max_size=4),
    excluded=st.lists(st.integers(-1, 7), max_size=2),
    strategy=st.sampled_from(["core_set", "medal", "random", "entropy", "margin", "nonsense"]),
    fill=st.sampled_from([0.0, 1.0, 1e200, -1e300, np.nan, np.inf]),
    where=st.integers(0, 20),
    multi=st.booleans(),
    classes=st.integers(0, 3),
)
def test_anything_gives_ids_or_one_sentence(
    tmp_path_factory,
    rows,
    columns,
    budget,
    labelled,
    excluded,
    strategy,
    fill,
    where,
    multi,
    classes,
):
    folder = tmp_path_factory.mktemp("any")
    table = np.random.default_rng(rows).normal(size=(rows, columns))
    if table.size:
        table.flat[where % table.size] = fill
    np.save(folder / "x.npy", table)
    np.save(folder / "p.npy", np.full((rows, classes), 1 / max(classes, 1)))
    for name, ids in (("labelled", labelled), ("exclude", excluded)):
        (folder / name).write_text("\n".join(map(str, ids)))
    arguments = ["--features", str(folder / "x.npy"), "--strategy", strategy, f"--budget={budget}"]
    arguments += ["--probabilities", str(folder / "p.npy")] + ["--multi-label"] * multi
    arguments += ["--labelled", str(folder / "labelled"), "--exclude", str(folder / "exclude")]
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = main(["select", *arguments])
    messages = err.getvalue().splitlines()
    assert "unexpected" not in err.getvalue()
    if code == 0:
        ids = [int(line) for line in out.getvalue().split()]
        assert len(ids) == len(set(ids)) == budget
        assert set(ids) <= set(range(rows)) - set(labelled) - set(excluded)
        assert all(line.startswith("warning: ") for line in messages)
    else:
        assert code in (1, 2)
        assert out.getvalue() == ""
        assert [line.startswith("error: ") for line in messages].count(True) == 1
