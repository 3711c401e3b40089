"""The mixture layer: probabilities, load, capacity, and the fast layer against the naive one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from gpt4lab.toys.core.moe import ExpertMLP, FeedForward, MoE, grouped_mlp, naive_mlp  # noqa: E402

TOKENS, WIDTH, FF = 96, 16, 32


def make_moe(experts: int = 8, top_k: int = 2, **options: float) -> MoE:
    torch.manual_seed(0)
    return MoE(WIDTH, FF, experts, top_k, **options)


def routed(layer: MoE) -> MoE:
    torch.manual_seed(1)
    layer(torch.randn(2, TOKENS // 2, WIDTH))
    return layer


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_routing_invariants(top_k: int) -> None:
    routing = routed(make_moe(top_k=top_k)).routing
    assert routing.experts.shape == (TOKENS, top_k)
    torch.testing.assert_close(routing.probabilities.sum(1), torch.ones(TOKENS))
    assert int(routing.load.sum()) == top_k * TOKENS
    assert routing.dropped == 0
    assert all(len(set(row)) == top_k for row in routing.experts.tolist()), "a token's experts differ"
    if top_k > 1:
        torch.testing.assert_close(routing.weights.sum(1), torch.ones(TOKENS))


def test_best_experts_are_the_most_probable() -> None:
    routing = routed(make_moe(top_k=3)).routing
    torch.testing.assert_close(routing.experts, routing.probabilities.topk(3).indices)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.25])
def test_capacity_drops_exactly_the_overflow(factor: float) -> None:
    routing = routed(make_moe(experts=4, capacity_factor=factor)).routing
    capacity = -(-factor * 2 * TOKENS // 4)
    assert routing.dropped == int((routing.load - capacity).clamp(min=0).sum())
    assert bool((routing.weights[~routing.kept] == 0).all())
    kept = torch.bincount(routing.experts[routing.kept], minlength=4)
    assert int(kept.max()) <= capacity


def test_dropping_is_first_come_first_served() -> None:
    routing = routed(make_moe(experts=4, top_k=1, capacity_factor=0.5)).routing
    for expert in range(4):
        kept = routing.kept[routing.experts == expert].tolist()
        assert kept == sorted(kept, reverse=True)


@pytest.mark.parametrize("fast", [ExpertMLP.apply, grouped_mlp])
@pytest.mark.parametrize("ends", [[10, 10, 40, 64], [64, 64, 64, 64], [16, 32, 48, 64]])
def test_fast_layers_equal_the_naive_one(fast, ends: list[int]) -> None:
    torch.manual_seed(0)
    inputs = [torch.randn(64, WIDTH), torch.randn(4, WIDTH, FF), torch.randn(4, FF, WIDTH)]
    outputs = []
    for function in (fast, naive_mlp):
        leaves = [x.clone().requires_grad_() for x in inputs]
        y = function(*leaves, ends)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
        outputs.append([y, *(leaf.grad for leaf in leaves)])
    for ours, reference in zip(*outputs, strict=True):
        torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-4)


def test_backward_agrees_with_finite_differences() -> None:
    torch.manual_seed(0)
    shapes = [(6, 3), (2, 3, 4), (2, 4, 3)]
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *leaves: ExpertMLP.apply(*leaves, [2, 6]), inputs)


@pytest.mark.parametrize("top_k", [1, 2])
def test_whole_layer_equals_a_loop_over_tokens(top_k: int) -> None:
    layer = make_moe(top_k=top_k)
    x = torch.randn(TOKENS, WIDTH, requires_grad=True)
    y = layer(x)
    slow = []
    for row, experts, weights in zip(x, layer.routing.experts.tolist(), layer.routing.weights, strict=True):
        parts = [
            w * (torch.relu(row @ layer.w_in[e]) ** 2 @ layer.w_out[e]) for e, w in zip(experts, weights, strict=True)
        ]
        slow.append(sum(parts))
    torch.testing.assert_close(y, torch.stack(slow), rtol=1e-4, atol=1e-5)


def test_one_expert_is_the_dense_layer() -> None:
    layer, dense = make_moe(experts=1, top_k=1), FeedForward(WIDTH, FF)
    dense.w_in, dense.w_out = layer.w_in, layer.w_out
    x = torch.randn(TOKENS, WIDTH)
    torch.testing.assert_close(layer(x), dense(x))


def test_router_learns_also_with_a_single_expert_per_token() -> None:
    layer = make_moe(top_k=1)
    layer(torch.randn(TOKENS, WIDTH)).square().sum().backward()
    assert float(layer.router.weight.grad.abs().sum()) > 0


def test_balance_loss_is_one_when_even_and_more_when_skewed() -> None:
    layer = make_moe(experts=4, top_k=1)
    x = torch.randn(TOKENS, WIDTH).abs()
    with torch.no_grad():
        layer.router.weight.zero_()
        layer(x)
        assert float(layer.balance) == pytest.approx(1.0)
        layer.router.weight[0] = 10.0
        layer(x)
    assert float(layer.balance) == pytest.approx(4.0, rel=1e-3)


def test_noise_only_while_training_and_from_the_layer_s_own_generator() -> None:
    layer, x = make_moe(noise=2.0), torch.randn(TOKENS, WIDTH)
    first, second = (layer.generator.manual_seed(3), layer(x))[1], (layer.generator.manual_seed(3), layer(x))[1]
    assert torch.equal(first, second)
    assert not torch.equal(first, layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))
