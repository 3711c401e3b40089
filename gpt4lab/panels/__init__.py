"""Controls and views: one module a topic, each panel a declaration."""
