"""The page of progress over HTTP: its figures, and the commands that it prints."""

import shlex
import shutil

import pytest

from nextlabel.cli import main
from nextlabel.project.labelling.models import NewModel


@pytest.fixture
def folder(made_once, tmp_path):
    """Images in a folder whose name a shell would take apart."""
    for suffix in ("", ".nextlabel"):
        shutil.copytree(made_once.with_name(f"photos{suffix}"), tmp_path / f"Ann's $1 set{suffix}")
    directory = tmp_path / "Ann's $1 set.nextlabel"
    settings = directory / "project.toml"
    settings.write_text(settings.read_text().replace('"../photos"', '"../Ann\'s $1 set"'))
    return tmp_path / "Ann's $1 set"


@pytest.mark.filterwarnings("ignore:.*1 label only")
def test_the_printed_commands_work(client, project, folder, tmp_path, monkeypatch, capsys):
    project.configure(features={"pca": 1.0})
    answers = [
        {"kind": "label", "image": image, "classes": [image % 2], "key": f"k{image}"}
        for image in range(8)
    ]
    assert client.post("/api/answers", json={"answers": answers, "tab": "t"}).is_success
    commands = client.get("/api/progress").json()["commands"]
    monkeypatch.chdir(tmp_path)
    for line in commands:
        program, *words = shlex.split(line)
        cache = [] if words[0] == "export" else ["--cache-dir", str(tmp_path / "cache")]
        assert program == "nextlabel"
        assert main([*words, *cache]) == 0, capsys.readouterr().err
    assert (tmp_path / "labels.csv").is_file() and (tmp_path / "predictions.csv").is_file()


def test_the_commands_name_features_that_are_not_the_usual_ones(client, project):
    def fit():
        return shlex.split(client.get("/api/progress").json()["commands"][1])

    assert "--features" not in fit()
    facts = {"features": {"vae": 1.0}, "labelled": 0}  # the other block's package is missing
    project.publish(NewModel(0, "x", "y", facts=facts), [])
    assert fit()[-2:] == ["--features", "vae=1"]
    project.configure(features={"vae": 1.0, "pca": 0.5})
    project.publish(NewModel(0, "x", "y"), [])
    assert fit()[-2:] == ["--features", "vae=1,pca=0.5"]


def test_an_estimate_is_shown_from_ten_random_images_on(client, project):
    def publish(audited):
        estimate = {"value": 0.64, "low": 0.0, "high": 1.0, "audited": audited}
        project.publish(
            NewModel(0, "x", "y", facts={"labelled": 2 * audited + 2}, estimate=estimate), []
        )
        progress = client.get("/api/progress").json()
        missing = client.get("/api/project").json()["model"]["estimate"]["missing"]
        assert progress["missing"] == missing
        return missing, len(progress["curve"])

    assert client.get("/api/progress").json()["missing"] == 10
    assert [publish(audited) for audited in (0, 9, 10, 11)] == [(10, 0), (1, 0), (0, 1), (0, 2)]
