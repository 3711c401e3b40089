"""Waiting lines and spare parts, as far as a hand can compute them.

a is the offered load: arrivals times the time of one service, in servers; rho = a / c of c servers.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p


def md1_wait(a: float, s: float) -> float:
    """Mean wait with one server and services of equal length s (Pollaczek-Khinchine); endless from a = 1 on."""
    return inf if a >= 1 else s * a / (2 * (1 - a))


def mm1_wait(a: float, s: float) -> float:
    """Mean wait with one server and services that end by chance after s on average."""
    return inf if a >= 1 else s * a / (1 - a)


def erlang_b(c: int, a: float) -> float:
    """Share of arrivals that find all c servers busy and go away (Erlang 1917)."""
    blocked = 1.0
    for servers in range(1, c + 1):
        blocked = a * blocked / (servers + a * blocked)
    return blocked


def erlang_c(c: int, a: float) -> float:
    """Share of arrivals that have to wait for one of c servers; all of them from a = c on."""
    blocked = erlang_b(c, a)
    return 1.0 if a >= c else blocked / (1 - a / c * (1 - blocked))


def mmc_wait(c: int, a: float, s: float) -> float:
    """Mean wait for one of c servers, of those who wait and of those who do not."""
    return inf if a >= c else erlang_c(c, a) * s / (c - a)


def chances(n: int, u: float) -> tuple[float, ...]:
    """Chance that 0, 1 ... n of n parts are there, each of which is away with chance u, on its own."""
    if not 0 < u < 1:
        return tuple(float(k == n * (u <= 0)) for k in range(n + 1))
    whole, there, away = lgamma(n + 1), log1p(-u), log(u)
    return tuple(exp(whole - lgamma(k + 1) - lgamma(n - k + 1) + k * there + (n - k) * away) for k in range(n + 1))


def both(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """Chances of the sum of two counts that know nothing of each other."""
    found = [0.0] * (len(one) + len(other) - 1)
    for i, p in enumerate(one):
        for j, q in enumerate(other):
            found[i + j] += p * q
    return tuple(found)
