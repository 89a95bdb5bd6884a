"""What happens to messages and items."""

from atrium.spaces.schemas import ItemView, MessageView
from keyrack import EventType

MESSAGE_CREATED = EventType("message.created", MessageView, category="messages")
MESSAGE_UPDATED = EventType("message.updated", MessageView, category="messages")
MESSAGE_DELETED = EventType("message.deleted", MessageView, category="messages")
ITEM_CREATED = EventType("item.created", ItemView, category="items")
ITEM_UPDATED = EventType("item.updated", ItemView, category="items")
ITEM_DELETED = EventType("item.deleted", ItemView, category="items")

SPACE_EVENTS = [MESSAGE_CREATED, MESSAGE_UPDATED, MESSAGE_DELETED, ITEM_CREATED, ITEM_UPDATED, ITEM_DELETED]
