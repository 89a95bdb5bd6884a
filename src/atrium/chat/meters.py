"""What of chat a plan counts. Messages are those of `atrium.spaces.meters`: a plan has one quota for what is written."""

from keyrack import Meter

CHATBOTS = Meter("chatbots", "Chatbots")
SOURCES = Meter("sources", "Sources")
