"""Serving that others measured, and where it lies on a roofline."""
