"""The twelve 2-D sets of MedMNIST v2: classes, sizes and published checksums, as of release 3.

https://zenodo.org/records/10519652 and medmnist/info.py in https://github.com/MedMNIST/MedMNIST.
The organ sets differ from the release of 2022 (https://zenodo.org/record/6496656).
"""

from dataclasses import dataclass

from nextlabel.core.types import Task

ORGANS = (
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
)


@dataclass(frozen=True)
class MedSet:
    """Published md5, channels, images in train, validation and test, class names, and task."""

    md5: str
    channels: int
    images: tuple[int, int, int]
    classes: tuple[str, ...]
    task: Task = "multiclass"
    mirrored: bool = True


MEDMNIST: dict[str, MedSet] = {
    "pathmnist": MedSet(
        "a8b06965200029087d5bd730944a56c1",
        3,
        (89_996, 10_004, 7_180),
        (
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
    ),
    "chestmnist": MedSet(
        "02c8a6516a18b556561a56cbdd36c4a8",
        1,
        (78_468, 11_219, 22_433),
        (
            "atelectasis",
            "cardiomegaly",
            "effusion",
            "infiltration",
            "mass",
            "nodule",
            "pneumonia",
            "pneumothorax",
            "consolidation",
            "edema",
            "emphysema",
            "fibrosis",
            "pleural",
            "hernia",
        ),
        "multilabel",
    ),
    "dermamnist": MedSet(
        "0744692d530f8e62ec473284d019b0c7",
        3,
        (7_007, 1_003, 2_005),
        (
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
    ),
    "octmnist": MedSet(
        "c68d92d5b585d8d81f7112f81e2d0842",
        1,
        (97_477, 10_832, 1_000),
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    "pneumoniamnist": MedSet(
        "28209eda62fecd6e6a2d98b1501bb15f", 1, (4_708, 524, 624), ("normal", "pneumonia")
    ),
    # Grades of severity: ordered, and treated as classes.
    "retinamnist": MedSet("bd4c0672f1bba3e3a89f0e4e876791e4", 3, (1_080, 120, 400), tuple("01234")),
    "breastmnist": MedSet(
        "750601b1f35ba3300ea97c75c52ff8f6", 1, (546, 78, 156), ("malignant", "normal, benign")
    ),
    "bloodmnist": MedSet(
        "7053d0359d879ad8a5505303e11de1dc",
        3,
        (11_959, 1_712, 3_421),
        (
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
    ),
    "tissuemnist": MedSet(
        "ebe78ee8b05294063de985d821c1c34b",
        1,
        (165_466, 23_640, 47_280),
        (
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
    ),
    "organamnist": MedSet(
        "68e3f8846a6bd62f0c9bf841c0d9eacc", 1, (34_561, 6_491, 17_778), ORGANS, mirrored=False
    ),
    "organcmnist": MedSet(
        "b9ceb9546e10131b32923c5bbeaea2b1", 1, (12_975, 2_392, 8_216), ORGANS, mirrored=False
    ),
    "organsmnist": MedSet(
        "9ab87b696fb54e2a387ebe992d6ed5f1", 1, (13_932, 2_452, 8_827), ORGANS, mirrored=False
    ),
}
