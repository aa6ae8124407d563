"""What can go wrong for a user, each as one clear line saying what is wrong and what to do."""


class ArtifactError(Exception):
    """An expected failure; the command line prints its message as one line and exits with 1."""


class UnreadableImage(ArtifactError):
    """A file that cannot be decoded as a photograph, or is larger than the stated limit."""


class ExemplarAway(UnreadableImage):
    """An exemplar that cannot be compared with: its file is away or changed, and no sound working picture is kept."""


class UnusableEncoder(ArtifactError):
    """An encoder that does not exist, cannot be loaded, or has no trained weights."""


class EncoderMismatch(ArtifactError):
    """A catalogue that was built by another encoder than the one asked for."""


class UnusableWorkers(ArtifactError):
    """Dask workers, or a scheduler of such, that are not there, went away, or are not as an index run needs them."""


class CatalogueMissing(ArtifactError):
    """No catalogue where one was expected."""


class CatalogueDamaged(ArtifactError):
    """A catalogue that cannot be opened, or that a newer version of the program wrote."""


class CatalogueBusy(ArtifactError):
    """Another run is writing this catalogue."""


class UnknownIndex(ArtifactError):
    """A factory string by which FAISS makes no index."""


class UnusableStore(ArtifactError):
    """A store of vectors that cannot be used: an address that is none, or a collection that is somebody else's."""


class StoreAway(ArtifactError):
    """A store of vectors that cannot be reached, is not ready, or refuses to answer; or a shard that is not there."""


class UnknownVerdict(ArtifactError):
    """A number that no recorded verdict has, or one that cannot be made again."""


class UnknownObject(ArtifactError):
    """An object id that is not in the catalogue."""


class BadTable(ArtifactError):
    """A table that cannot be read, or that lacks what is needed; the message says what was seen."""


class Collapsed(ArtifactError):
    """A training that no longer tells photographs apart, or whose loss is no number."""
