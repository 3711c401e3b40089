"""The step model held against layouts that others measured, row by row: `layouts`."""
