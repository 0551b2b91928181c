import subprocess
import sys
import time

from nextlabel.core.errors import NextlabelError
from nextlabel.data import SOURCES, describe
from nextlabel.data.settings import DataSettings


def test_a_card_for_each_source() -> None:
    cards = {card.name: card for card in describe()}
    assert list(cards) == list(SOURCES)
    assert {"digits", "mnist", "fashion_mnist", "kmnist", "chestmnist", "folder", "arrays"} <= set(
        cards
    )
    assert cards["digits"].where == "embedded" and cards["folder"].where == "path"
    assert cards["chestmnist"].task == "multilabel" and len(cards["chestmnist"].classes) == 14
    assert cards["mnist"].where == "download" and sum(cards["mnist"].images.values()) == 70_000


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
            SOURCES[name](DataSettings(name=name))
        except NextlabelError as error:
            assert "needs a path" in str(error)
