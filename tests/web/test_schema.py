"""Every route answers random requests as its schema says, and never with an unexpected error."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis")  # `make lowest` installs no tools like it

from schemathesis.checks import (  # noqa: E402
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SHORT = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_every_route_keeps_to_its_schema(page, client):
    schema = schemathesis.openapi.from_dict(page.app.openapi())
    tried = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @SHORT
        @given(case=operation.as_strategy())
        def answers(case):
            options = {} if isinstance(case.body, schemathesis.core.NotSet) else {"json": case.body}
            if case.path == "/logout":
                return
            headers = {name: value for name, value in (case.headers or {}).items()}
            response = client.request(
                case.method, case.formatted_path, params=case.query, headers=headers, **options
            )
            case.validate_response(response, checks=CHECKS)
            tried.add((case.method, case.path))

        answers()
    assert len(tried) >= 25
