"""Addresses of stores: what is read, what is refused, and that no text holds a password."""

import pytest

from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import UnusableStore


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("milvus://store.museum.org:19531/works", StoreAddress("store.museum.org", "works", port=19531)),
        ("milvus://10.0.0.7/works_2026", StoreAddress("10.0.0.7", "works_2026")),
        (" milvus+tls://store:443/_a\n", StoreAddress("store", "_a", port=443, tls=True)),
        ("milvus://ann:p%40s%2Fs@store:1/a", StoreAddress("store", "a", port=1, token="ann:p@s/s")),
        ("milvus://[::1]:19530/a", StoreAddress("::1", "a")),
    ],
)
def test_an_address_is_read(text, expected):
    assert StoreAddress.parse(text) == expected
    assert StoreAddress.parse(str(expected), token=expected.token) == expected


def test_a_token_that_is_given_goes_first():
    assert StoreAddress.parse("milvus://ann:old@store/a", token="key-7").token == "key-7"
    assert StoreAddress.parse("milvus://ann:old@store/a", token="").token == "ann:old"


def test_the_server_is_named_as_pymilvus_wants_it():
    assert StoreAddress.parse("milvus://zoe:hush@store:7/a").uri == "http://store:7"
    assert StoreAddress.parse("milvus+tls://[fe80::1]:7/a").uri == "https://[fe80::1]:7"


def test_no_text_of_an_address_holds_what_opens_it():
    address = StoreAddress.parse("milvus://zoe:hush@store:7/a", token="s3cr3t-key")
    assert str(address) == "milvus://store:7/a"
    for text in (str(address), repr(address), f"{address}", address.uri):
        assert "hush" not in text and "s3cr3t" not in text and "zoe" not in text


SCHEME = "begins neither with milvus:// nor with milvus+tls://"
HOST, PORT = "names no host", "no number from 1 to 65535"
MISSING, NAME = "names no collection", "names a collection in other than English letters, digits and _"
ESCAPED = "a password in which a / @ : or % is not written %2F %40 %3A or %25"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", SCHEME),
        ("store:19530", SCHEME),
        ("store:19530/a", SCHEME),
        ("http://zoe:hush@store:19530/a", SCHEME),
        ("milvus://zoe:hush@store:19530", MISSING),
        ("milvus://zoe:hush@store:19530/", MISSING),
        ("milvus://zoe:hush@store:19530/a/b", NAME),
        ("milvus://zoe:hush@store:19530/1a", NAME),
        ("milvus://zoe:hush@store:19530/works-of-art", NAME),
        ("milvus://zoe:hush@store:19530/a?timeout=3", NAME),
        ("milvus://zoe:hush@store:99999/a", PORT),
        ("milvus://store:0/a", PORT),
        ("milvus://store:port/a", PORT),
        ("milvus://zoe:hu/sh@store:19530/a", ESCAPED),
        ("milvus://zoe:hush@:19530/a", HOST),
        ("milvus://[::1:hush/a", "a bracket that is not closed"),
        ("milvus:///a", HOST),
    ],
)
def test_a_bad_address_is_one_short_line_with_an_example_that_repeats_nothing_of_it(text, why):
    with pytest.raises(UnusableStore) as found:
        StoreAddress.parse(text)
    message = str(found.value)
    assert why in message and len(message) < 220 and (ESCAPED in message) == ("@" in text and "no number" in message)
    assert StoreAddress.parse(message.rpartition(" ")[2]).collection == "museum"
    assert "\n" not in message and "hu" not in message and "zoe" not in message
    assert found.value.__cause__ is None
