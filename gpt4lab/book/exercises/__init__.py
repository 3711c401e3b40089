"""Exercises that the machine checks, code in a limited process, and judgements that the reader compares."""
