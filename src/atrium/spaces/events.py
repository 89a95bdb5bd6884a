"""What happens to messages and items."""

from atrium.spaces.schemas import ItemView, MessageView
from keyrack import EventType

MESSAGE_CREATED = EventType("message.created", MessageView, "A message was created.", category="messages")
MESSAGE_UPDATED = EventType("message.updated", MessageView, "A message was changed.", category="messages")
MESSAGE_DELETED = EventType("message.deleted", MessageView, "A message was deleted.", category="messages")
ITEM_CREATED = EventType("item.created", ItemView, "An item was created.", category="items")
ITEM_UPDATED = EventType("item.updated", ItemView, "An item was changed.", category="items")
ITEM_DELETED = EventType("item.deleted", ItemView, "An item was deleted.", category="items")

SPACE_EVENTS = [MESSAGE_CREATED, MESSAGE_UPDATED, MESSAGE_DELETED, ITEM_CREATED, ITEM_UPDATED, ITEM_DELETED]
