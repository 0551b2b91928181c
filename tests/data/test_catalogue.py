import subprocess
import sys
import time

from nextlabel.core.errors import NextlabelError
from nextlabel.data import SOURCES, describe


def test_a_card_for_each_source() -> None:
    infos = {info.name: info for info in describe()}
    assert list(infos) == list(SOURCES)
    assert {"digits", "mnist", "fashion_mnist", "kmnist", "chestmnist", "folder", "arrays"} <= set(
        infos
    )
    assert infos["digits"].where == "embedded" and infos["folder"].where == "path"
    assert infos["chestmnist"].task == "multilabel" and len(infos["chestmnist"].classes) == 14
    assert infos["mnist"].where == "download" and sum(infos["mnist"].images.values()) == 70_000


def test_imports_nothing_heavy_and_is_fast() -> None:
    code = (
        "import sys, nextlabel.data as d; d.describe(); "
        "heavy = {'torch', 'sklearn', 'PIL', 'tifffile', 'imagecodecs', 'pooch', 'requests'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    start = time.perf_counter()
    describe()
    assert time.perf_counter() - start < 0.2


def test_every_source_is_made_from_settings() -> None:
    for name in SOURCES:
        try:
            SOURCES[name](SOURCES[name].settings_class(name=name))
        except NextlabelError as error:
            assert "needs a path" in str(error)
