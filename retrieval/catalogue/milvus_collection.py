"""The collection of a Milvus server that holds vectors: what it is made of, and whether one that is there is ours."""

from __future__ import annotations

import logging
from typing import Any

from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import EncoderMismatch, UnusableStore
from retrieval.extras import how_to_install

KEY, VECTOR, STATUSES = "key", "vector", "statuses"
KIND = "artifact 1; encoder "  # begins the description of a collection, the fingerprint follows
STATUSES_AT_MOST, STATUS_BYTES = 256, 4096
INDEX = {"index_type": "HNSW", "metric_type": "IP", "params": {"M": 16, "efConstruction": 200}}


def connect(address: StoreAddress, *, seconds: float) -> Any:
    """Return a client of pymilvus with a connection of its own; raises UnusableStore where pymilvus is missing."""
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise UnusableStore(f"A store in Milvus needs pymilvus: {how_to_install('milvus')}") from None
    for name in ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer"):
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]  # it writes each failure on the terminal
    trusted = {"server_pem_path": str(address.certificates)} if address.certificates else {}
    return MilvusClient(address.uri, token=address.token, timeout=seconds, dedicated=True, **trusted)


def ensure(client: Any, name: str, *, dim: int, fingerprint: str, seconds: float) -> None:
    """Make, check, index and load a collection; each step that was done before, by whoever was killed then, is skipped.

    Raises EncoderMismatch for the vectors of another encoder, and UnusableStore for what is not of this program.
    """
    if not client.has_collection(name, timeout=seconds):
        schema = _schema(client, dim=dim, fingerprint=fingerprint)
        client.create_collection(name, schema=schema, timeout=seconds)
    _check(client.describe_collection(name, timeout=seconds), dim=dim, fingerprint=fingerprint)
    if not client.list_indexes(name, timeout=seconds):
        index = client.prepare_index_params()
        index.add_index(VECTOR, **INDEX)
        client.create_index(name, index, timeout=seconds)
    if client.get_load_state(name, timeout=seconds)["state"].name != "Loaded":
        client.load_collection(name, timeout=seconds)


def _schema(client: Any, *, dim: int, fingerprint: str) -> Any:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False, description=KIND + fingerprint)
    schema.add_field(KEY, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    limits = {"max_capacity": STATUSES_AT_MOST, "max_length": STATUS_BYTES}
    schema.add_field(STATUSES, DataType.ARRAY, element_type=DataType.VARCHAR, **limits)
    return schema


def _check(described: dict, *, dim: int, fingerprint: str) -> None:
    """Refuse a collection whose description is that of another encoder, or of another program."""
    name, description = described["collection_name"], described["description"]
    fields = {field["name"]: field["params"] for field in described["fields"]}
    if not description.startswith(KIND) or set(fields) != {KEY, VECTOR, STATUSES}:
        raise UnusableStore(
            f"The collection {name} was not made by artifact, or by another version of it. Name another collection: "
            "one that is not there yet is made."
        )
    if description != KIND + fingerprint or int(fields[VECTOR]["dim"]) != dim:
        raise EncoderMismatch(
            f"The collection {name} holds vectors of the encoder {description.removeprefix(KIND)}, not of "
            f"{fingerprint}: their distances do not compare. Name another collection: "
            "one that is not there yet is made."
        )
