"""Chat: chatbots that answer from the sources of their workspace, and what their visitors leave.

What pages and the widget call, each within its own transaction (`rack.transaction(session)` first where it writes):

- `chatbots.find(session, workspace_id, chatbot_id)`, `await chatbots.create(rack, session, workspace_id, new)`,
  `chatbots.change(rack, session, chatbot, values)`, `await chatbots.delete(rack, session, chatbot)`;
- `await writer.add(session, workspace_id, new)`, `.add_file(session, workspace_id, chatbot_id, content, filename=…, name=…)`,
  `writer.retry(session, source)`, `await writer.delete(session, source)`, where a handler gets the writer as `SourceWriter` of
  `dependencies`; `sources.find(…)`, `sources.of_chatbot(…)`. A new source is `pending`; the intake makes it `ready`, or `failed` for a
  `reason`;
- `conversations.open(rack, session, chatbot, channel=…, visitor_id=…)`, `conversations.find(session, workspace_id, conversation_id,
  chatbot_id=…, visitor_id=…, lock=True)`, `await conversations.say(rack, session, conversation, text, answer)`, which returns the visitor's
  message and the answer's, `conversations.transcript(session, conversation)`, `conversations.delete(rack, session, conversation)`;
- `leads.leave(rack, session, chatbot, email=…, name=…, conversation=…)`, `leads.find(…)`, `leads.delete(rack, session, lead)`;
- `await answerer.answer(chatbot, question) -> Answer(text, citations, found)`, before the session that writes is begun, because a model
  may take its time. A handler gets the answerer as `Answering` of `dependencies`.

Lists are read as elsewhere: `pages.read(Chatbot, query, workspace_id=caller.workspace_id)`, with the queries in `schemas`.
"""
