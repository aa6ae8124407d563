"""How a command is asked to index a folder."""

from dataclasses import dataclass
from typing import Annotated

from cli.runs.judging_options import MEGAPIXELS, Device, EncoderSpec, MaxMegapixels
from indexer.inputs.option import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingOptions:
    """By which encoder a folder is indexed, where and how exactly it computes, and which photographs are left out."""

    encoder: EncoderSpec = None
    precision: Annotated[
        str | None, Option("bf16 is quicker; chosen once for a catalogue.", choices=("fp32", "bf16"))
    ] = None
    device: Device = "cpu"
    pattern: Annotated[
        str | None,
        Option(
            "Where an object's id stands in a path, such as '{object}_{view}' or '{year}/{object}/{view}'; "
            "kept for the folder, '' forgets it.",
            metavar="PATTERN",
        ),
    ] = None
    exclude: Annotated[
        tuple[str, ...],
        Option(
            "Leave out what fits, as in .gitignore; may be given again. Kept for the folder, '' forgets them.",
            metavar="GLOB",
        ),
    ] = ()
    table: Annotated[
        str | None,
        Option(
            "The table in the folder that says more of its objects, where it is not the only one, or 'none'. "
            "Kept for the folder.",
            metavar="FILE",
        ),
    ] = None
    map: Annotated[
        tuple[str, ...],
        Option(
            "The column of a field, such as status=Statut; again for others. Kept for the folder, 'status=' forgets.",
            metavar="FIELD=COLUMN",
        ),
    ] = ()
    dry_run: Annotated[bool, Option("Say what would be done, and write nothing.", flags=("--dry-run",))] = False
    prune: Annotated[bool, Option("Remove photographs that are no longer there.", flags=("--prune",))] = False
    pictures: Annotated[
        str | None,
        Option(
            "Long side in pixels of the picture kept of each exemplar, to compare with whatever becomes of the file; "
            "1600 at first, kept for the catalogue.",
            metavar="SIDE|none",
        ),
    ] = None
    max_megapixels: MaxMegapixels = MEGAPIXELS
    dask: Annotated[
        str | None,
        Option(
            "Read and encode on the workers of this Dask scheduler, which see the folder at the same path; this "
            "process writes. Needs the extra `dask`.",
            metavar="tcp://HOST:PORT",
        ),
    ] = None
    faiss: Annotated[
        str | None,
        Option(
            "What proposes the nearest vectors, as a FAISS factory string such as IVF4096,SQ8, or auto: by their "
            "number and --memory. Distances are exact with any. Kept for the catalogue.",
            metavar="FACTORY",
        ),
    ] = None
    memory: Annotated[
        str | None,
        Option(
            "How much memory that index may take, such as 500MB or 4GB; 2GB at first, kept for the catalogue.",
            metavar="SIZE",
        ),
    ] = None
    shards: Annotated[
        str | None,
        Option(
            "Divide features, vectors and votes by hash among so many folders, DATA/shards/00 and on, each of which "
            "may be a link to another disk or machine; 1 at first, kept for the catalogue.",
            metavar="N",
        ),
    ] = None
    remake_shards: Annotated[
        bool,
        Option("Make shards that are lost anew, from the photographs.", flags=("--remake-shards",)),
    ] = False
    store: Annotated[
        str | None,
        Option(
            "Search vectors in a Milvus server, or again in `files`; kept for the catalogue. A user and a password are "
            "kept in store.token beside it. Needs the extra `milvus`.",
            metavar="milvus://HOST:PORT/COLLECTION",
        ),
    ] = None
