"""Vectors in a real Milvus server, which is killed meanwhile; one server at a time serves all of these tests."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from retrieval.catalogue.milvus import MilvusVectors, StoredVector
from retrieval.catalogue.milvus_collection import STATUS_BYTES, STATUSES_AT_MOST
from retrieval.catalogue.retrying import Patience
from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import EncoderMismatch, StoreAway, UnusableStore
from tests.milvus_server import NEEDED, MilvusProcess, running_in

DIM, COUNT = 32, 3000
ODD = (
    "stolen",
    "known forgery",
    'the "Ghent" panel',
    "it's",
    "back\\slash",
    "two\nlines",
    "失窃",
    "",
    '"] or key > 0 #',
)
NAMES = (f"test_{number}" for number in itertools.count())
pytestmark = NEEDED


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[MilvusProcess]:
    with running_in(tmp_path_factory.mktemp("milvus")) as process:
        yield process


@pytest.fixture
def address(server) -> StoreAddress:
    return StoreAddress("127.0.0.1", next(NAMES), port=server.port, token="root:Milvus")


@pytest.fixture
def store(address) -> Iterator[MilvusVectors]:
    with opened(address) as store:
        yield store
        store.drop()


def opened(address: StoreAddress, **changed) -> MilvusVectors:
    return MilvusVectors(address, **{"dim": DIM, "fingerprint": "tiny-1", **changed})


def contents(count: int = COUNT, *, seed: int = 0) -> list[StoredVector]:
    """Return vectors in which every second one has one or two statuses."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = random.integers(2**60, size=count).tolist()
    pairs = itertools.cycle([(), (), *itertools.pairwise(ODD)])
    return [StoredVector(*each) for each in zip(keys, vectors, pairs, strict=False)]


def keys_of(some: list[StoredVector]) -> list[int]:
    return [content.key for content in some]


def all_keys(store: MilvusVectors) -> list[int]:
    return np.concatenate(list(store.key_pages())).tolist()


def exact(some: list[StoredVector], vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what numpy finds: the products and the keys of the nearest."""
    products = vectors @ np.stack([content.vector for content in some]).T
    order = np.argsort(-products, axis=1)[:, :k]
    return np.take_along_axis(products, order, axis=1), np.array(keys_of(some))[order]


def test_what_was_put_is_found_as_numpy_finds_it(store):
    some, probes = contents(), np.stack([content.vector for content in contents(50, seed=1)])
    store.put(some)
    products, keys = store.search(probes, 10)
    expected, expected_keys = exact(some, probes, 10)
    assert products.dtype == np.float32 and keys.dtype == np.int64
    recall = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(keys, expected_keys, strict=True)])
    assert recall > 0.95
    same = keys == expected_keys
    np.testing.assert_allclose(products[same], expected[same], atol=1e-5)


def test_vectors_come_back_bit_for_bit(store):
    some = contents()
    store.put(some)
    found = store.get([*keys_of(some), 7])  # 7 is not there
    assert found.keys() == set(keys_of(some))
    assert all(np.array_equal(found[content.key], content.vector) for content in some)
    assert store.get([]) == {}


def test_putting_twice_stores_once(store):
    some = contents(500)
    store.put(some)
    store.put([*some, *some[:100]])
    assert store.count() == 500
    assert all_keys(store) == sorted(keys_of(some))
    changed = replace(some[0], vector=-some[0].vector)
    store.put([some[0], changed])
    assert store.count() == 500
    assert np.array_equal(store.get([changed.key])[changed.key], changed.vector)


def test_an_empty_store_answers(store):
    products, keys = store.search(np.ones((2, DIM), np.float32), 3)
    assert (keys == -1).all() and (products == -np.inf).all()
    assert store.count() == 0 and all_keys(store) == []
    store.put([])
    store.remove([])
    assert store.search(np.empty((0, DIM), np.float32), 3)[1].shape == (0, 3)


@pytest.mark.parametrize("wanted", [(status,) for status in ODD] + [("stolen", "it's"), ("lost",), ()], ids=repr)
def test_a_search_looks_only_at_the_statuses_that_are_wanted(with_statuses, wanted):
    store, some = with_statuses
    right = [content for content in some if set(content.statuses) & set(wanted)]
    _, keys = store.search(some[0].vector[None], 200, wanted)
    assert set(keys[keys >= 0].tolist()) == set(keys_of(right))


def test_statuses_come_back_as_they_were_put(with_statuses):
    store, some = with_statuses
    assert store.statuses([*keys_of(some), 7]) == {content.key: content.statuses for content in some}


def test_as_many_and_as_long_statuses_as_are_kept_are_taken(store):
    few, many = contents(2)
    long = tuple("ä" * (STATUS_BYTES // 2 - 3) + f"{number:06}" for number in range(STATUSES_AT_MOST))
    store.put([few, replace(many, statuses=long)])
    assert store.statuses([many.key]) == {many.key: long}
    _, keys = store.search(few.vector[None], 2, [long[-1], "stolen"])
    assert keys[0].tolist() == [many.key, -1]


@pytest.fixture(scope="module")
def with_statuses(server):
    address = StoreAddress("127.0.0.1", next(NAMES), port=server.port, token="root:Milvus")
    with opened(address) as store:
        some = contents(300)
        store.put(some)
        yield store, some
        store.drop()


def test_what_was_removed_is_gone(store):
    some = contents(500)
    store.put(some)
    store.remove([*keys_of(some[:100]), 7])
    assert store.count() == 400
    assert store.get(keys_of(some[:100])) == {}
    _, keys = store.search(some[0].vector[None], 500)
    assert set(keys[keys >= 0].tolist()) == set(keys_of(some[100:]))


def test_keys_that_lie_close_together_come_in_pages_too(store):
    store.put([StoredVector(2**59 + number, content.vector) for number, content in enumerate(contents(20_000))])
    assert all_keys(store) == [2**59 + number for number in range(20_000)]


def test_the_vectors_of_another_encoder_are_refused(address, store):
    for other in ({"fingerprint": "tiny-2"}, {"fingerprint": "tiny-1", "dim": DIM + 1}):
        with pytest.raises(EncoderMismatch, match="tiny-1") as found:
            opened(address, **other)
        assert "\n" not in str(found.value)
    opened(address).close()


def test_a_collection_of_somebody_else_is_refused(address):
    from pymilvus import MilvusClient

    client = MilvusClient(address.uri, token=address.token)
    client.create_collection(address.collection, dimension=DIM)
    with pytest.raises(UnusableStore, match="not made by artifact"):
        opened(address)
    client.drop_collection(address.collection)
    client.close()


def test_another_reader_sees_at_once_what_was_put(address, store):
    store.put(contents(10))
    with opened(address) as reader:
        assert reader.count() == 10


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"token": "root:wrong"}, "refuses the token"),
        ({"token": ""}, "refuses the token"),
        ({"host": "no-such-host.invalid"}, "is away"),
        ({"port": 1}, "is away"),
        ({"host": "203.0.113.1"}, "is away|cannot do"),  # belongs to nobody; a proxy may answer for it
    ],
    ids=repr,
)
def test_who_cannot_be_reached_is_said_in_time_and_on_one_line(address, changed, says, capfd):
    start = time.monotonic()
    with pytest.raises(StoreAway, match=says) as found:
        opened(replace(address, **changed), timeout=2, patience=Patience(total=3))
    assert time.monotonic() - start < 6
    assert "\n" not in str(found.value) and "wrong" not in str(found.value)
    assert capfd.readouterr() == ("", "")  # pymilvus would write there


@pytest.fixture
def encrypted(tmp_path) -> Iterator[StoreAddress]:
    """The address of another server, which speaks TLS, without the certificates to trust."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    file = tmp_path / "server.pem"
    names = "subjectAltName=IP:127.0.0.1"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=store"]
    subprocess.run(
        [*command, "-addext", names, "-keyout", file, "-out", tmp_path / "own"], check=True, capture_output=True
    )
    file.write_bytes(file.read_bytes() + (tmp_path / "own").read_bytes())
    process = MilvusProcess(tmp_path / "server", certificate=file)
    try:
        process.start()
        yield StoreAddress("127.0.0.1", next(NAMES), port=process.port, tls=True)
    finally:
        process.kill()


def test_a_server_that_speaks_tls_is_used_where_its_certificate_is_trusted(encrypted, tmp_path):
    with opened(replace(encrypted, certificates=tmp_path / "own")) as store:
        store.put(contents(10))
        assert store.count() == 10
    for not_right in (encrypted, replace(encrypted, tls=False)):
        with pytest.raises(StoreAway):
            opened(not_right, timeout=2, patience=Patience(total=3))


def killed(server: MilvusProcess, *, after: float, away: float) -> threading.Thread:
    """Kill the server in a moment, and start it again."""

    def act() -> None:
        time.sleep(after)
        server.kill()
        time.sleep(away)
        server.start()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_server_that_dies_amid_a_put_loses_and_doubles_nothing(server, store):
    some = contents(60_000)
    store.put(some[:1000])
    death = killed(server, after=0.5, away=1)
    start = time.monotonic()
    store.put(some)  # waits for the server
    assert time.monotonic() - start > 1.5, "the server was not killed meanwhile"
    death.join()
    store.put(some)
    assert store.count() == len(some)
    assert all_keys(store) == sorted(keys_of(some))
    sample = some[::50]
    found = store.get(keys_of(sample))
    assert all(np.array_equal(found[content.key], content.vector) for content in sample)


def test_searches_wait_for_a_server_that_dies_and_go_on(server, store):
    some = contents(2000)
    store.put(some)
    probes = np.stack([content.vector for content in some[:5]])
    death = killed(server, after=0.5, away=1)
    longest, end = 0.0, time.monotonic() + 4
    while death.is_alive() or time.monotonic() < end:
        start = time.monotonic()
        _, keys = store.search(probes, 1)
        assert keys[:, 0].tolist() == keys_of(some[:5])
        longest = max(longest, time.monotonic() - start)
    death.join()
    assert longest > 1


def test_the_same_object_goes_on_after_it_gave_up(server, address):
    store = opened(address, timeout=2)
    store.put(contents(100))
    patient, store.patience = store.patience, Patience(total=3)
    server.kill()
    start = time.monotonic()
    with pytest.raises(StoreAway, match="is away, and stayed so for"):
        store.count()
    assert time.monotonic() - start < 6
    server.start()
    store.patience = patient
    assert store.count() == 100
    store.drop()
