"""An email is one address: mail to it goes nowhere else, whatever stands in it."""

from email.message import EmailMessage

import pytest

from keyrack.manage.members import checked_email
from keyrack.model.refusals import INVALID_REQUEST, Refused

ELSEWHERE = (
    "mira,ben@acme.example",
    "mira<ben@acme.example>",
    "mira(ben)@acme.example",
    "mira:ben@acme.example;",
    '"mira"@acme.example',
    "mira\\@acme.example",
    "mira@acme.example,ben",
    "=?utf-8?q?mira=40acme.example?=@beta.example",
)
THERE = ("mira@acme.example", "o'neil+keys@mail.acme.example", "zoë@bücher.example", "a=b?c@acme.example")


@pytest.mark.parametrize("email", ELSEWHERE)
def test_what_mail_programs_read_as_something_else_is_no_email(email: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_email(email)
    assert (INVALID_REQUEST, "email") == (refused.value.refusal, refused.value.param)


@pytest.mark.parametrize("email", THERE)
def test_mail_goes_where_the_email_says(email: str) -> None:
    message = EmailMessage()
    message["To"] = checked_email(email)
    (there,) = message["To"].addresses
    assert email == there.addr_spec
