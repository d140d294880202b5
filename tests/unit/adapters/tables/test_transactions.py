"""Entity group transactions: how they travel, and every answer that does not say for certain that they took place.

The answers are recordings: of azure-sdk-for-js, sdk/tables/data-tables/recordings/node/batch_operations
(`should_send_a_set_of_create_batch_operations`, `should_handle_sub_request_error`), of azure-sdk-for-python,
sdk/tables/azure-data-tables/tests/recordings (`test_table_batch_cosmos.test_batch_inserts`), and the words of errors
from azure-sdk-for-net, sdk/tables/Azure.Data.Tables/tests/ExtractFailureContentTests.cs.
"""

import json
import subprocess
import sys
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from local.processes import ROOT
from shared.adapters.tables.requests import Answer, change
from shared.adapters.tables.transactions import Failure, batch, outcome_of
from shared.kernel.refusals import Unavailable
from shared.ports.table import Insert, Key, Put, Remove, Replace, Row

OUTER, INNER = "batchresponse_cc03b4d3-f290-45da-8205-59c4489dbffe", "changesetresponse_39e50adf-df4a-42a3-ab13-c31ab5"

DONE = """HTTP/1.1 204 No Content
X-Content-Type-Options: nosniff
Cache-Control: no-cache
Preference-Applied: return-no-content
DataServiceVersion: 3.0;
Location: https://fakestorageaccount.table.core.windows.net/batchTableTestnode(PartitionKey='batchTest',RowKey='1')
DataServiceId: https://fakestorageaccount.table.core.windows.net/batchTableTestnode(PartitionKey='batchTest',RowKey='1')
ETag: W/"datetime'2020-10-02T23%3A12%3A22.4833905Z'"


"""


def refused(status: str, code: str, message: str) -> str:
    error = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": f"{message}\nRequestId:678247da\n"}}}
    return f"""HTTP/1.1 {status}
X-Content-Type-Options: nosniff
DataServiceVersion: 3.0;
Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8

{json.dumps(error)}
"""


TAKEN = refused("409 Conflict", "EntityAlreadyExists", "1:The specified entity already exists.")


def multipart(*responses: str, head: str = "Content-Type: application/http\nContent-Transfer-Encoding: binary") -> str:
    parts = "".join(f"--{INNER}\n{head}\n\n{response}" for response in responses)
    return f"--{OUTER}\nContent-Type: multipart/mixed; boundary={INNER}\n\n{parts}--{INNER}--\n--{OUTER}--\n"


def answer(body: str | bytes, status: int = 202, content_type: str = f"multipart/mixed; boundary={OUTER}") -> Answer:
    octets = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    return Answer(status=status, headers={"Content-Type": content_type}, body=octets)


def test_a_transaction_that_took_place_says_so_for_each_operation() -> None:
    assert (
        outcome_of(answer(multipart(DONE, DONE, DONE)), 3) == ("W/\"datetime'2020-10-02T23%3A12%3A22.4833905Z'\"",) * 3
    )
    removed = DONE.partition("ETag")[0]
    assert outcome_of(answer(multipart(DONE, f"{removed}\n\n")), 2)[1] == "", "what is removed has none"


def test_a_transaction_may_be_repeated_if_each_of_its_operations_may() -> None:
    """Notices of a sign-out, say, which go to their places whatever is there."""
    puts = [Put(Key("p", "1"), "{}"), Put(Key("p", "2"), "{}")]
    for more in ([], [Insert(Key("p", "3"), "{}")], [Replace(ROW, "{}")], [Remove(ROW)]):
        requests = [change("rows", each) for each in (*puts, *more)]
        assert batch("https://store", requests).may_be_repeated is (more == [])


def test_cosmos_db_ends_some_lines_without_a_carriage_return() -> None:
    done = "HTTP/1.1 204 No Content\r\nETag: W/\"datetime'2020-11-03'\"\r\nContent-ID: 1\r\n\r\n\r\n"
    assert outcome_of(answer(multipart(done, done).encode()), 2) == ("W/\"datetime'2020-11-03'\"",) * 2
    taken = refused("409 Conflict", "EntityAlreadyExists", "22:The specified entity already exists.\n")
    failure = outcome_of(answer(multipart(taken).encode()), 30)
    assert failure == Failure(index=22, status=409, code="EntityAlreadyExists")


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        (TAKEN, Failure(index=1, status=409, code="EntityAlreadyExists")),
        (
            refused("404 Not Found", "TableNotFound", "0:The table specified does not exist."),
            Failure(index=0, status=404, code="TableNotFound"),
        ),
        (
            refused(
                "412 Precondition Failed", "UpdateConditionNotSatisfied", "The update condition was not satisfied."
            ),
            Failure(index=None, status=412, code="UpdateConditionNotSatisfied"),
        ),
        (
            refused("409 Conflict", "EntityAlreadyExists", "99:The specified entity already exists."),
            Failure(index=None, status=409, code="EntityAlreadyExists"),
        ),
        ("HTTP/1.1 500 Internal Server Error\n\n\n", Failure(index=None, status=500, code=None)),
    ],
    ids=["taken", "no table", "stale, without an index", "an index of nothing", "no words at all"],
)
def test_a_transaction_that_failed_gives_one_reason(response: str, failure: Failure) -> None:
    assert outcome_of(answer(multipart(response)), 3) == failure


@pytest.mark.parametrize(
    "malformed",
    [
        answer(multipart(DONE)),
        answer(multipart(DONE, DONE, DONE)),
        answer(multipart(DONE, TAKEN)),
        answer(multipart(TAKEN, DONE)),
        answer(multipart(TAKEN, TAKEN)),
        answer(multipart(DONE, DONE.replace("204", "100"))),
        answer(multipart(DONE, DONE.replace("204", "2\r04"))),
        answer(multipart(DONE, DONE.replace("204", "302"))),
        answer(multipart(DONE, DONE.replace("HTTP/1.1", "HTTP/1.0"))),
        answer(multipart(DONE, DONE.replace("HTTP/1.1 204 No Content", "204"))),
        answer(multipart(DONE.replace("204", "200"))),
        answer(multipart(DONE, DONE, head="Content-Type: application/json")),
        answer(multipart(DONE, DONE, head="Content-Transfer-Encoding: binary")),
        answer(multipart(DONE, DONE, head="Content-Type: application/http\nContent-Type: application/http")),
        answer(multipart(DONE, DONE, head="Content-Type")),
        answer(multipart(DONE, DONE, head="Content-Type: application/http\nX-Näme: value")),
        answer(multipart()),
        answer(multipart(DONE, DONE).replace(f"boundary={INNER}", "boundary=another")),
        answer(multipart(DONE, DONE).replace("multipart/mixed", "multipart/form-data")),
        answer(multipart(DONE, DONE) + multipart(DONE, DONE)),
        answer("preamble\n" + multipart(DONE, DONE)),
        answer(multipart(DONE, DONE) + "epilogue"),
        answer(multipart(DONE, DONE), status=200),
        answer(multipart(DONE, DONE), content_type="application/json"),
        answer(multipart(DONE, DONE), content_type="multipart/mixed"),
        answer(multipart(DONE, DONE), content_type=f"multipart/mixed; boundary={OUTER}; boundary=another"),
        answer("<html>Sign in to the hotel's network</html>"),
        answer(""),
    ],
)
def test_an_answer_of_any_other_form_leaves_the_outcome_open(malformed: Answer) -> None:
    with pytest.raises(Unavailable):
        outcome_of(malformed, 2)


@pytest.mark.parametrize("body", [multipart(DONE, DONE), multipart(TAKEN)], ids=["done", "refused"])
def test_an_answer_that_is_cut_off_anywhere_leaves_the_outcome_open(body: str) -> None:
    octets = body.replace("\n", "\r\n").encode()
    whole = len(octets.rstrip())
    assert whole == len(octets) - 2
    for length in range(whole):
        with pytest.raises(Unavailable):
            outcome_of(answer(octets[:length]), 2)


@given(some.binary(max_size=400), some.integers(1, 100))
def test_no_octets_at_all_bring_the_reader_down(octets: bytes, count: int) -> None:
    for body in (octets, f"--{OUTER}\r\n".encode() + octets, multipart(octets.decode("latin-1")).encode()):
        with pytest.raises(Unavailable):
            outcome_of(answer(body), count)


ROW = Row(Key("p", "replaced"), "{}", 'W/"1"')
OPERATIONS = [
    Insert(Key("p", "it's 50%"), "--batch\r\n--changeset--\r\n\r\nDELETE /rows HTTP/1.1"),
    Put(Key("p", "é 🦊"), "\u2028é"),
    Replace(ROW, "{}"),
    Remove(Row(Key("p", "removed"), "{}", 'W/"2"')),
]


def test_a_transaction_travels_as_one_change_set_whose_parts_nobody_can_forge() -> None:
    requests = [change("rows", operation) for operation in OPERATIONS]
    first, second = batch("https://a.example", requests), batch("https://a.example", requests)
    boundary = first.headers["Content-Type"].removeprefix("multipart/mixed; boundary=")
    assert (first.method, first.path) == ("POST", "/$batch")
    lines = first.body.decode("ascii").split("\r\n")
    changes = lines[1].removeprefix("Content-Type: multipart/mixed; boundary=")
    assert lines[0] == f"--{boundary}"
    assert lines[-3:] == [f"--{changes}--", f"--{boundary}--", ""]
    assert [line for line in lines if line.startswith("--")] == [
        f"--{boundary}",
        *[f"--{changes}"] * 4,
        f"--{changes}--",
        f"--{boundary}--",
    ]
    assert [line for line in lines if line.endswith(" HTTP/1.1")] == [
        "POST https://a.example/rows HTTP/1.1",
        "PUT https://a.example/rows(PartitionKey='p',RowKey='%C3%A9%20%F0%9F%A6%8A') HTTP/1.1",
        "PUT https://a.example/rows(PartitionKey='p',RowKey='replaced') HTTP/1.1",
        "DELETE https://a.example/rows(PartitionKey='p',RowKey='removed') HTTP/1.1",
    ]
    assert [line for line in lines if line.startswith("If-Match")] == ['If-Match: W/"1"', 'If-Match: W/"2"']
    documents = [json.loads(line)["document"] for line in lines if line.startswith("{")]
    assert documents == [operation.document for operation in OPERATIONS if not isinstance(operation, Remove)]
    for one, other in combinations([first, second], 2):
        assert one.headers != other.headers


BOTH_WAYS = f"""
import sys
from shared.adapters.tables.requests import Answer, change
from shared.adapters.tables.transactions import batch, outcome_of
from shared.ports.table import Insert, Key

batch("https://store", [change("rows", Insert(Key("p", "r"), "{{}}"))])
assert outcome_of({answer(multipart(DONE))!r}, 1)
print([name for name in ("email", "http.client") if name in sys.modules])
"""


def test_a_transaction_is_made_and_read_without_the_parser_of_mail() -> None:
    """By `email` it took more than a quarter of a sign-in's CPU."""
    found = subprocess.run([sys.executable, "-c", BOTH_WAYS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
