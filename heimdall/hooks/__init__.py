"""Memory that comes by itself: what assistants are told at their own events, and what is kept of a conversation.

An assistant runs `heimdall hook EVENT` when a session begins, a prompt is sent, a conversation is compacted, a turn or
a session ends. It gives what it knows as JSON, and passes on to its model what it gets back.
"""
