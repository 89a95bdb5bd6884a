"""What happens to chatbots, sources, conversations and leads."""

from atrium.chat.schemas import ChatbotView, ConversationView, LeadView, SourceView
from keyrack import EventType

CHATBOT_CREATED = EventType("chatbot.created", ChatbotView, "A chatbot was created.", category="chatbots")
CHATBOT_UPDATED = EventType("chatbot.updated", ChatbotView, "A chatbot was changed.", category="chatbots")
CHATBOT_DELETED = EventType("chatbot.deleted", ChatbotView, "A chatbot was deleted.", category="chatbots")
SOURCE_CREATED = EventType("source.created", SourceView, "A source was added, and waits to be taken in.", category="sources")
SOURCE_READY = EventType("source.ready", SourceView, "A source was taken in: its chatbot answers from it.", category="sources")
SOURCE_FAILED = EventType("source.failed", SourceView, "A source could not be taken in; `reason` says why.", category="sources")
SOURCE_RETRIED = EventType("source.retried", SourceView, "A source waits to be taken in once more.", category="sources")
SOURCE_DELETED = EventType("source.deleted", SourceView, "A source was deleted.", category="sources")
CONVERSATION_STARTED = EventType("conversation.started", ConversationView, "A visitor began to write.", category="conversations")
CONVERSATION_DELETED = EventType("conversation.deleted", ConversationView, "A conversation was deleted.", category="conversations")
LEAD_CREATED = EventType("lead.created", LeadView, "A visitor left an email address.", category="leads")
LEAD_DELETED = EventType("lead.deleted", LeadView, "A lead was deleted.", category="leads")

CHAT_EVENTS = [
    CHATBOT_CREATED,
    CHATBOT_UPDATED,
    CHATBOT_DELETED,
    SOURCE_CREATED,
    SOURCE_READY,
    SOURCE_FAILED,
    SOURCE_RETRIED,
    SOURCE_DELETED,
    CONVERSATION_STARTED,
    CONVERSATION_DELETED,
    LEAD_CREATED,
    LEAD_DELETED,
]
