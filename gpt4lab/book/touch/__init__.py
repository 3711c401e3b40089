"""Numbers in sentences that can be touched: see `written` for the text, `page` for what answers while the book runs."""
