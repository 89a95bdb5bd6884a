"""What happens to customers and contacts. What a customer's deletion takes along has events of its own, before the customer's."""

from atrium.customers.schemas import ContactView, CustomerView
from keyrack import EventType

CUSTOMER_CREATED = EventType("customer.created", CustomerView, "A customer was created.", category="customers")
CUSTOMER_UPDATED = EventType("customer.updated", CustomerView, "A customer was changed.", category="customers")
CUSTOMER_DELETED = EventType("customer.deleted", CustomerView, "A customer was deleted.", category="customers")
CONTACT_CREATED = EventType("contact.created", ContactView, "A contact was created.", category="customers")
CONTACT_UPDATED = EventType("contact.updated", ContactView, "A contact was changed.", category="customers")
CONTACT_DELETED = EventType("contact.deleted", ContactView, "A contact was deleted.", category="customers")

CUSTOMER_EVENTS = [CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMER_DELETED, CONTACT_CREATED, CONTACT_UPDATED, CONTACT_DELETED]
