"""Chapter 10: the optimum in one line of code."""

from __future__ import annotations

from gpt4lab.book.exercises.code import Code
from gpt4lab.quantities.topics.scaling import balance, best_tokens

tokens = Code(
    solution="""
    def tokens(N, A, alpha, B, beta):
        return (beta * B / (alpha * A) * N**alpha) ** (1 / beta)
    """,
    truth=lambda N, A, alpha, B, beta: best_tokens(N, balance(alpha, beta, A, B), alpha, beta),
    cases=[(277e9, 482.01, 0.3478, 2085.43, 0.3658), (1e9, 100, 0.5, 100, 0.5)],
    unit="token",
)
