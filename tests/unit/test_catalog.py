"""An operation is found by what a line of the log has of it."""

import pytest

from keyrack.model.catalog import ANY_METHOD, Catalog, Operation

LIST, GET, MOUNT = (
    Operation("GET", "/customers", None),
    Operation("GET", "/customers/{id}", None),
    Operation(ANY_METHOD, "/files/{path}", None),
)


@pytest.mark.parametrize(
    ("method", "template", "found"),
    [
        ("GET", "/customers", LIST),
        ("HEAD", "/customers", LIST),
        ("GET", "/customers/{customer_id}", GET),
        ("POST", "/customers", None),
        ("DELETE", "/files/{path}", MOUNT),
        ("GET", "/customers/{id}/notes", None),
    ],
)
def test_operation_is_found_by_method_and_template(method: str, template: str, found: Operation | None) -> None:
    assert found == Catalog([LIST, GET, MOUNT]).find(method, template)
