"""Chapter 06's exercise in code."""

from __future__ import annotations

from gpt4lab.book.exercises.code import Code
from gpt4lab.formulas.noise import gradient_noise, gradient_signal

noise_scale = Code(
    solution="""
    def noise_scale(G_small, G_big, b, B):
        signal = (B * G_big - b * G_small) / (B - b)
        noise = (G_small - G_big) / (1 / b - 1 / B)
        return noise / signal
    """,
    truth=lambda *lengths: gradient_noise(*lengths) / gradient_signal(*lengths),
    cases=[(3 + 40 / 8, 3 + 40 / 64, 8, 64), (1.5, 1.25, 2, 4), (0.011, 0.010, 16, 128), (100, 1.5, 1, 1024)],
)
