"""What happens to messages and items."""

from atrium.spaces.schemas import ItemView, MessageView
from keyrack import EventType

MESSAGE_CREATED = EventType("message.created", MessageView)
MESSAGE_UPDATED = EventType("message.updated", MessageView)
MESSAGE_DELETED = EventType("message.deleted", MessageView)
ITEM_CREATED = EventType("item.created", ItemView)
ITEM_UPDATED = EventType("item.updated", ItemView)
ITEM_DELETED = EventType("item.deleted", ItemView)

SPACE_EVENTS = [MESSAGE_CREATED, MESSAGE_UPDATED, MESSAGE_DELETED, ITEM_CREATED, ITEM_UPDATED, ITEM_DELETED]
