"""What of spaces a plan counts."""

from keyrack import Meter

MESSAGES = Meter("messages", "Messages")
