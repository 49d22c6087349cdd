"""The tables of a recipe, each checking itself: `[model]`, `[targets]`, `[augment]`, `[distillation]`, `[quantization]`, `[schedule]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_runtime.illumination import ILLUMINATIONS

__all__ = ["AugmentOptions", "Distillation", "Features", "ModelTable", "Quantization", "Schedule", "Stage", "Targets"]


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{what} {value!r}, but only {', '.join(known)} are known")


@dataclass(frozen=True)
class ModelTable:
    """Which architecture (a file of `train/models/`) and its own options.

    Attributes:
        architecture: a name of `train.models.ARCHITECTURES`.
        size: side in pixels of the faces, which are square.
        channels: 1 (grey) or 3 (BGR).
        crop: the net reads the middle `crop` px of `size`; 0 reads all.
        precision: of the arithmetic while training; weights and the saved model are float32.
        weights: what training starts from: "none", "imagenet", or the path of a run or a saved model.
        illumination: how each face's light is evened out before anything else (see `edge_runtime.illumination`).
        options: the architecture's own.
    """

    architecture: str
    size: int = 48
    channels: int = 1
    crop: int = 0
    precision: str = "float32"
    weights: str = "none"
    illumination: str = "none"
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _one_of("precision", self.precision, ("float32", "bfloat16"))
        _one_of("illumination", self.illumination, tuple(ILLUMINATIONS))
        if self.channels not in (1, 3):
            raise ValueError(f"channels {self.channels}, but only 1 (grey) and 3 (BGR) are known")
        if not 16 <= self.size <= 512:
            raise ValueError(f"size {self.size}, but only 16 to 512 px are known")
        if self.crop and not 16 <= self.crop < self.size:
            raise ValueError(f"crop {self.crop} of {self.size} px: 16 px at least, and less than the whole")

    @property
    def net_size(self) -> int:
        """Side in pixels of what the net itself reads."""
        return self.crop or self.size


@dataclass(frozen=True)
class Targets:
    """What the model is taught: the data set's labels, FER+ votes, or a mixture of both.

    Attributes:
        kind: "labels"; "mixed": labels with `votes_share` of the votes; or Barsoum et al. 2016, section 3.2: "majority",
            "probability" (a label drawn from the votes anew each epoch), "cross_entropy" (the shares of the votes).
        votes_share: of a mixture.
        label_smoothing: this share of each target is spread over all classes.
        class_weights: "balanced" weighs faces against the frequency of their class.
        refit: once trained, scale and shift the logits to the training labels (see `refit.py`).
    """

    kind: str = "labels"
    votes_share: float = 0.5
    label_smoothing: float = 0.0
    class_weights: str = "none"
    refit: bool = False

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, ("labels", "mixed", "majority", "probability", "cross_entropy"))
        _one_of("class_weights", self.class_weights, ("none", "balanced"))
        if not (0 <= self.votes_share <= 1 and 0 <= self.label_smoothing < 1):
            raise ValueError("votes_share and label_smoothing are shares from 0 to 1")

    @property
    def needs_votes(self) -> bool:
        return self.kind != "labels"


@dataclass(frozen=True)
class AugmentOptions:
    """Random distortions, each drawn anew for every picture.

    rotation_deg, scale, shift: largest change either way (degrees; share of the size), each made with `probability`.
    flip: mirror half of the pictures. brightness: largest change in grey levels. contrast: largest relative change.
    erase: probability that a rectangle of up to 0.1 of the area is painted over with one grey level. blur: probability
    that a face is out of focus. dim: probability that little light and noise are left of it. mixup: alpha of
    the beta distribution by which pairs of faces are mixed (Zhang et al. 2018); 0 mixes none.
    """

    rotation_deg: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    probability: float = 1.0
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    erase: float = 0.0
    blur: float = 0.0
    dim: float = 0.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise ValueError(f"{name} {value} is negative")
        if self.scale >= 1 or self.shift >= 1 or self.contrast >= 1:
            raise ValueError("scale, shift and contrast are shares below 1")
        if max(self.erase, self.blur, self.dim, self.probability) > 1:
            raise ValueError("erase, blur, dim and probability are at most 1")


@dataclass(frozen=True)
class Quantization:
    """Fine-tuning under the rounding that a conversion will do (see `quantization.py`).

    Attributes:
        kind: "none"; or "int8": kernels and activations are rounded while the net learns and while its best epoch is
            chosen, and batch normalization's averages stay as they are. The saved model is in float32, without any of it.
    """

    kind: str = "none"

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, ("none", "int8"))

    @property
    def rounds(self) -> bool:
        return self.kind != "none"


@dataclass(frozen=True)
class Features:
    """Features that the student is to have as its one teacher has them, beside the answers (Romero et al. 2015, FitNets).

    Attributes:
        teacher_layer, student_layer: whose outputs are compared: vectors, or maps of one height and width. Where the
            channels differ, a dense layer over the student's is learnt along, and thrown away at the end.
        weight: against the loss of the answers, which weighs 1.
        loss: "mse", or "cosine" (1 - the cosine of the angle between them).
    """

    teacher_layer: str
    student_layer: str
    weight: float = 1.0
    loss: str = "mse"

    def __post_init__(self) -> None:
        _one_of("loss", self.loss, ("mse", "cosine"))
        if self.weight <= 0:
            raise ValueError(f"weight {self.weight}, but only positive ones are known; leave the table out for none")


@dataclass(frozen=True)
class Distillation:
    """How much the teachers count, and which views of a face they and the student see (Hinton et al. 2015).

    Attributes:
        temperature: by which both sides' logits are divided before they are compared.
        teacher_share: of the loss, the rest being that of the targets; 1 learns from the teachers alone.
        views: "live": the teachers answer for every view that the student sees, and each epoch has new ones; "cached":
            they answer once for `cached_views` views of each face, which the epochs then take in turn.
        cached_views: how many views of each face; for "cached" alone.
        precision: of the teachers' arithmetic.
        features: what else the student is to have of its teacher; needs live views and one teacher.
    """

    temperature: float = 4.0
    teacher_share: float = 0.7
    views: str = "live"
    cached_views: int = 12
    precision: str = "float32"
    features: Features | None = None

    def __post_init__(self) -> None:
        _one_of("views", self.views, ("live", "cached"))
        _one_of("precision", self.precision, ("float32", "bfloat16"))
        if self.temperature <= 0:
            raise ValueError(f"temperature {self.temperature}, but only positive ones are known")
        if not 0 < self.teacher_share <= 1:
            raise ValueError(
                f"teacher_share {self.teacher_share}, a share above 0 and up to 1 (--without-teacher is 0)"
            )
        if self.cached_views < 1:
            raise ValueError(f"cached_views {self.cached_views}, but at least one is needed")
        if self.features is not None and self.views == "cached":
            raise ValueError('features need views = "live": only answers are cached')


@dataclass(frozen=True)
class Stage:
    """A number of epochs that are alike.

    Attributes:
        epochs: how many.
        size: side in pixels of what the net sees; 0 is the model's own.
        view: a smaller size is cut out of the picture ("crop"), or is the whole picture made smaller ("resize").
        frozen_to: layers before the one of this name are not trained, their batch normalization neither; "" trains all.
        rate: multiplies the learning rate.
    """

    epochs: int
    size: int = 0
    view: str = "crop"
    frozen_to: str = ""
    rate: float = 1.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.size < 0:
            raise ValueError(f"a stage of {self.epochs} epochs at {self.size} px")
        if self.rate <= 0:
            raise ValueError(f"a stage with rate {self.rate}, but only positive ones are known")
        _one_of("view", self.view, ("crop", "resize"))


@dataclass(frozen=True)
class Schedule:
    """Optimizer, learning rate and epochs.

    Attributes:
        stages: what happens one after the other.
        batch: faces a step.
        optimizer: "sgd" (with Nesterov's momentum) or "adam".
        learning_rate: at its highest.
        momentum: of sgd.
        decay: "cosine" to zero; "plateau": times `plateau_factor` once the choosing split's accuracy has not risen for
            `plateau_patience` epochs; or "constant".
        warmup_epochs: over which a cosine's rate rises from a tenth.
        weight_decay: decoupled: each step takes learning_rate × weight_decay of each kernel away, as Keras' optimizers do.
        ema: the weights that are chosen and saved are an average over the steps that keeps this share of itself each
            step; batch statistics are then gathered anew. 0 averages nothing.
        sampling: "shuffled" shows each face once an epoch, "balanced" draws each class as often as any other.
    """

    stages: tuple[Stage, ...]
    batch: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    decay: str = "cosine"
    plateau_factor: float = 0.5
    plateau_patience: int = 5
    warmup_epochs: int = 0
    weight_decay: float = 0.0
    ema: float = 0.0
    sampling: str = "shuffled"

    def __post_init__(self) -> None:
        _one_of("optimizer", self.optimizer, ("sgd", "adam"))
        _one_of("decay", self.decay, ("cosine", "plateau", "constant"))
        _one_of("sampling", self.sampling, ("shuffled", "balanced"))
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema {self.ema}, a share from 0 (none) to below 1")
        if not 0 < self.plateau_factor < 1 or self.plateau_patience < 1:
            raise ValueError("plateau_factor is a share between 0 and 1, plateau_patience at least one epoch")
        if not self.stages or self.batch < 1 or self.learning_rate <= 0:
            raise ValueError("a schedule needs stages, a batch of at least 1 and a positive learning rate")

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    def stage_at(self, epoch: int) -> Stage:
        """The stage that an epoch (from 0) belongs to."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return self.stages[-1]
