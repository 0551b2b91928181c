"""`nextlabel select`: lists, names, tables and the files that it writes."""

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest

from nextlabel import select
from nextlabel.cli import main
from nextlabel.features.embedding_file import EmbeddingFile

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(30, 4)).astype(np.float32)
CHANCES = RNG.dirichlet(np.ones(3), 30)
NAMES = [f"folder/{i:02}.png" for i in range(30)]
EXPECTED = [NAMES[i] for i in select(ROWS, 5, labelled=[3, 7])]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", ROWS)
    np.save("p.npy", CHANCES)
    EmbeddingFile(ROWS, tuple(NAMES)).save("named.npz")
    (tmp_path / "done.txt").write_text("folder/03.png\nfolder/07.png\n")
    (tmp_path / "ids.txt").write_text("3\n7\n")
    return tmp_path


def chosen(capsys, arguments, code=0):
    assert main(["select", "--budget", "5", *arguments.split()]) == code
    out, err = capsys.readouterr()
    if code == 0:
        assert err == ""
        return out.split()
    assert out == "" and err.count("\n") == 1 and err.startswith("error: ")
    return err


def test_a_dash_is_standard_input(files, capsys, monkeypatch):
    text = (files / "done.txt").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert chosen(capsys, "--features named.npz --labelled -") == EXPECTED
    said = chosen(capsys, "--features named.npz --labelled - --exclude -", 2)
    assert "standard input (-) is given for two files" in said


def stdin_holds(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("kind", ["npy", "npz", "csv", "parquet"])
def test_features_come_from_standard_input(kind, files, capsys, monkeypatch):
    pd.DataFrame(ROWS, index=NAMES).to_csv("x.csv")
    pd.DataFrame(ROWS, index=NAMES).rename(columns=str).to_parquet("x.parquet")
    source = {"npz": "named.npz"}.get(kind, f"x.{kind}")
    stdin_holds(monkeypatch, (files / source).read_bytes())
    done = "ids.txt" if kind == "npy" else "done.txt"
    expected = select(ROWS, 5, labelled=[3, 7]).astype(str).tolist() if kind == "npy" else EXPECTED
    assert chosen(capsys, f"--features - --labelled {done}") == expected


def test_blocks_and_probabilities_come_from_standard_input(files, capsys, monkeypatch):
    stdin_holds(monkeypatch, (files / "x.npy").read_bytes())
    expected = chosen(capsys, "--features x.npy --features v=x.npy --labelled ids.txt")
    assert chosen(capsys, "--features x.npy --features v=- --labelled ids.txt") == expected
    stdin_holds(monkeypatch, (files / "p.npy").read_bytes())
    expected = chosen(capsys, "--probabilities p.npy --strategy margin")
    assert chosen(capsys, "--probabilities - --strategy margin") == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "standard input is empty; give one row"),
        (b"\x93NUMPY\1\0", "standard input is not a .npy or .npz file"),
        (b"PAR1 cut", "standard input is not a Parquet file, or it is damaged"),
        (b"a,b\n1,x\n", "of standard input holds 'x' in row 0"),
        (b"1,2\0", "standard input is not a text file; give a CSV file of numbers"),
    ],
)
def test_standard_input_of_another_kind_has_a_remedy(content, says, capsys, monkeypatch):
    stdin_holds(monkeypatch, content)
    assert says in chosen(capsys, "--features -", 1)


def test_names_come_from_a_file_next_to_the_rows(files, capsys):
    (files / "names.txt").write_text("# from the microscope\n" + "\n".join(NAMES))
    (files / "names.csv").write_text("\n".join(["label,file", *(f"a,{n}" for n in NAMES)]))
    (files / "table.txt").write_text("\n".join(["label\tfile", *(f"a\t{n}" for n in NAMES)]))
    (files / "first.csv").write_text("\n".join(f"{n},a" for n in NAMES))
    np.save("names.npy", np.array(NAMES))
    np.savez("names.npz", names=NAMES, other=NAMES)
    pd.DataFrame({"x": ROWS[:, 0]}, index=NAMES).to_parquet("index.parquet")
    pd.DataFrame({"x": ROWS[:, 0], "file": NAMES}).to_parquet("column.parquet")
    for file in (
        *("names.txt", "names.csv", "table.txt", "first.csv", "names.npy", "names.npz"),
        *("index.parquet", "column.parquet"),
    ):
        arguments = f"--features x.npy --names {file} --labelled done.txt"
        assert chosen(capsys, arguments) == EXPECTED, file
    (files / "remarks.txt").write_text("\n".join(["#0", *NAMES[1:]]))
    arguments = "--features x.npy --names remarks.txt --labelled done.txt"
    assert set(chosen(capsys, arguments)) <= {"#0", *NAMES}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("--features named.npz --names names.txt", 2, "have names already; leave out --names"),
        ("--features x.npy --names short.txt", 1, "short.txt has 29 names for 30 rows"),
        ("--features x.npy --names twice.txt", 1, "both row 0 and row 29 are called"),
        ("--features x.npy --names gone.txt", 1, "gone.txt cannot be read"),
        ("--features x.npy --names x.parquet", 1, "neither an index nor a column of names"),
        ("--features x.npy --names x.npz", 1, "store the names under 'names'"),
        (
            "--probabilities p.npy --strategy margin --labelled done.txt",
            2,
            "p.npy has no names, give",
        ),
        (
            "--features x.npy --labelled done.txt",
            2,
            "x.npy has no names, give them by --names FILE",
        ),
        ("--features x.npy --probabilities vae=p.npy", 2, "write --probabilities p.npy"),
        ("--features named.npz --labelled typo.txt", 2, "did you mean 'folder/03.png'?"),
        ("--features named.npz --out .", 2, ". is a folder; give a file in it"),
        ("--features named.npz --labelled done.txt --out done.txt", 2, "is a file that is read"),
        ("--features medmnist.npz", 1, "nextlabel embed medmnist.npz -o features.npz"),
    ],
)
def test_what_does_not_fit_has_a_remedy(arguments, code, says, files, capsys):
    (files / "names.txt").write_text("\n".join(NAMES))
    (files / "short.txt").write_text("\n".join(NAMES[1:]))
    (files / "twice.txt").write_text("\n".join([*NAMES[:-1], NAMES[0]]))
    (files / "typo.txt").write_text("folder/03.jpg\n")
    np.savez("x.npz", a=NAMES, b=NAMES)
    np.savez("medmnist.npz", train_images=ROWS, val_images=ROWS)
    pd.DataFrame({"x": ROWS[:, 0]}).to_parquet("x.parquet")
    assert says in chosen(capsys, arguments, code)


def test_tables_are_features_and_probabilities(files, capsys):
    table = pd.DataFrame(ROWS, index=NAMES)
    table.to_csv("x.csv")
    table.rename(columns=str).to_parquet("x.parquet")
    pd.DataFrame(CHANCES, index=NAMES).to_csv("p.csv")
    for file in ("x.csv", "x.parquet"):
        assert chosen(capsys, f"--features {file} --labelled done.txt") == EXPECTED
    margins = [NAMES[i] for i in select(probabilities=CHANCES, budget=5, strategy="margin")]
    assert chosen(capsys, "--probabilities p.csv --strategy margin") == margins
    mixed = "--features x.npy --probabilities p.csv --strategy margin --labelled done.txt"
    assert set(chosen(capsys, mixed)) <= set(NAMES) - {"folder/03.png", "folder/07.png"}


def test_one_column_of_probabilities_is_enough_for_two_classes(files, capsys):
    np.savetxt("p.csv", CHANCES[:, 0])
    expected = np.argsort(np.abs(CHANCES[:, 0] - 0.5))[:5]
    found = chosen(capsys, "--probabilities p.csv --strategy entropy")
    assert found == [str(i) for i in expected]


def test_scores_are_in_json_and_in_a_table(files, capsys):
    ids, scores = select(ROWS, 5, return_scores=True)
    assert main("select --features named.npz --budget 5 --json".split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["score"] == "distance to the nearest labelled or earlier picked image"
    assert facts["scores"] == [None, *scores[1:].tolist()]
    assert main("select --features x.npy --budget 5 --strategy random --json".split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["score"] is facts["scores"] is None
    assert chosen(capsys, "--features named.npz --out next/batch.csv") == ["next/batch.csv"]
    rows = list(csv.reader((files / "next" / "batch.csv").open()))
    assert rows[0] == ["path", "score"]
    assert [name for name, _ in rows[1:]] == [NAMES[i] for i in ids]
    assert rows[1][1] == "" and [float(score) for _, score in rows[2:]] == scores[1:].tolist()
    chosen(capsys, "--features x.npy --strategy random --out batch.csv")
    assert (files / "batch.csv").read_text().startswith("id\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("head", ["label,path", '"file";"Classes"', "path,label,confidence,p_a"])
def test_a_choice_replaces_no_labels(head, encoding, files, capsys):
    (files / "labels.csv").write_text(f"{head}\na.png,cat\n", encoding)
    message = chosen(capsys, "--features x.npy --strategy random -o labels.csv", 2)
    assert "labels.csv is there and holds labels" in message
    assert (files / "labels.csv").read_text(encoding) == f"{head}\na.png,cat\n"


def test_what_is_written_is_what_would_be_shown_and_is_read_again(files, capsys):
    shown = chosen(capsys, "--features named.npz --labelled done.txt")
    for file in ("next.txt", "next.csv"):
        assert chosen(capsys, f"--features named.npz --labelled done.txt -o {file}") == [file]
        later = chosen(capsys, f"--features named.npz --labelled {file}")
        assert later == [
            NAMES[i] for i in select(ROWS, 5, labelled=[NAMES.index(n) for n in shown])
        ]
    assert (files / "next.txt").read_text().split("\n") == [*shown, ""]
    assert chosen(capsys, "--features named.npz --json -o next.json") == ["next.json"]
    assert json.loads((files / "next.json").read_text())["budget"] == 5


def test_a_bar_shows_the_time_left_on_a_terminal_alone(capsys, monkeypatch):
    import tqdm

    seen = []

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            seen.append(n)
            return super().update(n)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    chosen(capsys, "--features x.npy --strategy medal")
    assert not seen
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main("select --features x.npy --strategy medal --budget 5".split()) == 0
    assert sum(seen) == 5 and len(seen) >= 5


def test_a_bar_of_its_own_shows_the_work_before_the_first_pick(capsys, monkeypatch):
    import tqdm

    updates = {}

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            updates.setdefault(self.desc, []).append(n)
            return super().update(n)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for strategy in ("max_herding", "prob_cover"):
        updates.clear()
        assert main(f"select --features x.npy --strategy {strategy} --budget 5".split()) == 0
        assert sum(updates["choosing"]) == 5
        assert sum(updates["measuring"]) == pytest.approx(1)
