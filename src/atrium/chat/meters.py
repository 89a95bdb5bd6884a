"""What of chat a plan bounds: how many exist. Messages are those of `atrium.spaces.meters`: a plan has one quota for what is written."""

from collections.abc import Callable

from sqlalchemy import Select, func, select

from atrium.chat.models import Chatbot, Source
from atrium.database import Row
from keyrack import Meter


def _all(kind: type[Row]) -> Callable[[str], Select[int]]:
    return lambda workspace_id: select(func.count()).where(kind.workspace_id == workspace_id)


CHATBOTS = Meter("chatbots", "Chatbots", existing=_all(Chatbot))
SOURCES = Meter("sources", "Sources", existing=_all(Source))
