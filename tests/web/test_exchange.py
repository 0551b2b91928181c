"""Labels out of the page and into it."""

import io
import zipfile

import pytest

CSV = b"path,label\nimage-00.png,cell\nimage-01.png,debris\nimage-77.png,cell\n"


def test_uploaded_labels_are_recorded_once(client, project, ids):
    reply = client.post("/api/import", params={"name": "my labels.CSV"}, content=CSV).json()
    assert (reply["taken"], reply["unmatched"]) == (2, ["image-77.png"])
    many = CSV.decode() + "".join(f"x{n}.png,cell\n" for n in range(1200))
    missing = client.post("/api/import", params={"name": "b.csv"}, content=many.encode()).json()
    assert (missing["unmatched"][0], missing["unmatched_count"]) == ("image-77.png", 1201)
    assert client.post("/api/import", params={"name": "a.csv"}, content=CSV).json()["taken"] == 0
    assert dict(project.state().labels) == {ids["image-00.png"]: (0,), ids["image-01.png"]: (1,)}


@pytest.mark.parametrize("name", ["labels.exe", "labels", "x.nextlabel", "../a.csv/..", "csv"])
def test_other_files_are_refused(client, name):
    response = client.post("/api/import", params={"name": name}, content=b"x")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "unknown-format")


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.npz", "a.answers.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2", b'{"a": 1}'])
def test_damaged_uploads_are_refused_in_a_sentence(client, project, name, content):
    response = client.post("/api/import", params={"name": name}, content=content)
    assert response.status_code in (200, 400, 409, 422)
    assert response.is_success or response.json()["error"]["message"]
    assert project.answers() == []


def test_every_format_is_downloaded(client):
    client.post("/api/import", params={"name": "a.csv"}, content=CSV)
    formats = client.get("/api/project").json()["formats"]
    assert {one["name"] for one in formats} >= {"csv", "jsonl", "class_folders", "label_studio"}
    for one in formats:
        response = client.get(f"/api/export/{one['name']}")
        assert response.is_success, response.text
        disposition = response.headers["content-disposition"]
        assert disposition.startswith("attachment") and one["suffix"] in disposition
        assert response.content
    packed = zipfile.ZipFile(io.BytesIO(client.get("/api/export/class_folders").content))
    assert "cell/image-00.png" in packed.namelist()
    assert client.get("/api/export/nothing").status_code == 404


@pytest.mark.filterwarnings("ignore:1 labelled image")
def test_class_folders_leave_out_a_file_that_has_vanished(client, project):
    client.post("/api/import", params={"name": "a.csv"}, content=CSV)
    (project.folder / "image-00.png").unlink()
    packed = zipfile.ZipFile(io.BytesIO(client.get("/api/export/class_folders").content))
    files = [name for name in packed.namelist() if not name.endswith("/")]
    assert sorted(files) == ["debris/image-01.png", "left-out.txt"]
    assert packed.read("left-out.txt") == b"image-00.png\n"


def test_a_format_whose_package_is_missing_says_what_to_install(client, monkeypatch):
    def lacks():
        formats = client.get("/api/project").json()["formats"]
        return {one["name"]: one["lack"] for one in formats if one["lack"]}

    assert lacks() == {}
    monkeypatch.setattr("nextlabel.project.exchange.formats.parquet.find_spec", lambda name: None)
    assert list(lacks()) == ["parquet"] and "nextlabel[parquet]" in lacks()["parquet"]
