"""What the book is prepared, opened, tested, measured and kept in order with."""
