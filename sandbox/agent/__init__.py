"""The voice: what an agent says. Pure functions of app, conversation, message and entropy; no HTTP, no store."""
