"""Answering in closed form: `report`, a pass of prefill or decode."""
