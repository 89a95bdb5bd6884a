"""What happens to customers and contacts. What a customer's deletion takes along has events of its own, before the customer's."""

from atrium.customers.schemas import ContactView, CustomerView
from keyrack import EventType

CUSTOMER_CREATED = EventType("customer.created", CustomerView, category="customers")
CUSTOMER_UPDATED = EventType("customer.updated", CustomerView, category="customers")
CUSTOMER_DELETED = EventType("customer.deleted", CustomerView, category="customers")
CONTACT_CREATED = EventType("contact.created", ContactView, category="customers")
CONTACT_UPDATED = EventType("contact.updated", ContactView, category="customers")
CONTACT_DELETED = EventType("contact.deleted", ContactView, category="customers")

CUSTOMER_EVENTS = [CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMER_DELETED, CONTACT_CREATED, CONTACT_UPDATED, CONTACT_DELETED]
