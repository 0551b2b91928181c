"""The block `ccvae`: a VAE that is trained on with the labels after each labelling step."""

from typing import TYPE_CHECKING, ClassVar

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock, LazyPictures
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vae import SHOWN, VAEBlock, with_activity
from nextlabel.models.generative.vae_settings import ENCODER, CCVAESettings

if TYPE_CHECKING:
    from torch import Tensor

    from nextlabel.models.generative.ccvae import ClassDistributions
    from nextlabel.models.generative.vae import FittedVAE


@register("ccvae")
class CCVAEBlock(CCVAESettings, VAEBlock):
    """Posterior means of a class-conditional VAE, which the labels shape again in each round.

    The beginning is a plain VAE, `epochs` on the pool without labels. A round continues from it for
    `round_epochs` of as many steps each, so that it costs round_epochs / epochs of the beginning
    (a quarter by default) and some more for the class part, on top of that once. No round starts
    from another, so that each can be fitted again from the labels alone.
    """

    supervised: ClassVar[bool] = True
    block: ClassVar[str] = "ccvae"

    @property
    def round_passes(self) -> int:
        """The epochs of each round."""
        return self.round_epochs

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Train without labels, or go on from `start` with `labels` of `pool.labelled`.

        Without a start the beginning is fitted here, the same for the same seeds. Returns means
        (n, latent) float32 for each part, of the class part alone (n, class dimensions) if so set
        and there are labels; log, pictures, and as state all weights of a beginning or the
        encoder's of a round. Raises DataError for labels that do not fit the pool or the classes.
        """
        import torch

        from nextlabel.models.generative.ccvae import begin_ccvae, refit_ccvae
        from nextlabel.models.normalise import to_device

        images = to_device(data.train.images, torch.device("cpu"))
        width = self.class_dims(len(data.classes))
        if labels is None or not len(labels):
            fitted = begin_ccvae(images, self, seeds)
            return self._block(data, fitted, self.latent, fitted.state(), images, None, seeds)
        if len(labels) != pool.labelled_count:
            raise DataError(
                f"{len(labels)} labels for {pool.labelled_count} labelled images; give one for "
                "each",
                code="unequal-lengths",
            )
        state = start.state if start is not None else begin_ccvae(images, self, seeds).state()
        multiclass = data.task == "multiclass"
        fitted, classes = refit_ccvae(
            images,
            pool.labelled,
            labels[:, None] if multiclass else labels,
            len(data.classes) if multiclass else 2,
            state,
            self,
            number,
            seeds,
        )
        kept = width if self.part == "class" else self.latent
        return self._block(data, fitted, kept, fitted.state(*ENCODER), images, classes, seeds)

    def _block(
        self,
        data: Dataset,
        fitted: "FittedVAE",
        kept: int,
        state: dict[str, Array],
        images: "Tensor",
        classes: "ClassDistributions | None",
        seeds: Seeds,
    ) -> FittedBlock:
        """Return the features, the first `kept` dimensions of each part, and the pictures."""
        import torch

        from nextlabel.models.generative import vae_pictures as draw
        from nextlabel.models.normalise import to_device

        mean, log_variance = (t.numpy() for t in fitted.encode(images))
        features: dict[Part, Array] = {"train": mean[:, :kept]}
        for part in PARTS[1:]:
            if len(data.part(part)):
                others = to_device(data.part(part).images, torch.device("cpu"))
                features[part] = fitted.means(others)[:, :kept]

        def pictures() -> dict[str, bytes]:
            drawn = {
                "reconstructions": draw.reconstructions(fitted, data.train.images[:SHOWN]),
                "traversal": draw.traversal_of_cloud(fitted, mean, log_variance),
            }
            if classes is not None:
                drawn["classes"] = draw.by_class(fitted, classes, seeds)
            return drawn

        log = with_activity(fitted.log, mean, data.train.images)
        return FittedBlock(features, log, LazyPictures(pictures), state)
