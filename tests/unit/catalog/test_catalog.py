"""The catalog: every entry says where its numbers come from, and the numbers agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from math import log
from typing import get_args

import attrs
import pytest

from gpt4lab import catalog, units
from gpt4lab.catalog import Constants, Entry, Measurement, MissingFact, Table, UnknownName
from gpt4lab.catalog.entry import Kind, source_from
from gpt4lab.catalog.table import CatalogError, normal
from gpt4lab.models.inputs import network_of
from gpt4lab.models.search.parameters import published

TABLES: dict[str, Table] = {name: table for name, table in vars(catalog).items() if isinstance(table, Table)}
ENTRIES = [
    pytest.param(entry, id=f"{name}/{entry.slug}")
    for name, table in TABLES.items()
    for entry in table.values()
    if isinstance(entry, Entry)
]
CLAIM = re.compile(r"(C\d{2,3}|[PSF]\d{2}|DQ\d{2}|all|trend)")


def stated(entry: Entry) -> dict[str, object]:
    """Every number that an entry states, by the name under which a source vouches for it."""
    if isinstance(entry, Constants):
        return dict(entry.values)
    if isinstance(entry, Measurement):
        return {**entry.setup, **entry.measured}
    values = attrs.asdict(entry, recurse=False)
    return {k: v for k, v in values.items() if isinstance(v, (int, float)) and k != "counts_recomputation"}


# Provenance


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_number_has_a_source(entry: Entry):
    for field in stated(entry):
        assert entry.source_of(field)
    assert sum(not source.covers for source in entry.sources) <= 1, "two sources claim the rest"


@pytest.mark.parametrize("entry", ENTRIES)
def test_provenance_is_complete(entry: Entry):
    assert entry.sources
    for source in [*entry.sources, *(rental.source for rental in getattr(entry, "rentals", ()))]:
        assert source.kind in get_args(Kind)
        assert source.reference in catalog.references
        if source.kind in ("assumed", "memory"):
            assert source.status == "unconfirmed"
            assert source.checked is None
        if source.kind in ("assumed", "computed"):
            assert source.note, "say how, or why"
        if source.checked:
            assert date(2020, 1, 1) <= source.checked <= date.today()


@pytest.mark.parametrize("entry", ENTRIES)
def test_sources_cover_only_what_is_stated(entry: Entry):
    other = {"date", "hardware", "attention", "gated_mlp", "tied_embeddings", "released"}
    for source in entry.sources:
        assert set(source.covers) <= set(stated(entry)) | other


def test_a_source_without_date_or_status_is_refused():
    with pytest.raises(CatalogError, match="date checked, or a status"):
        source_from({"reference": "kaplan2020"})


def test_a_source_with_an_unknown_reference_is_refused():
    with pytest.raises(UnknownName, match="kaplan2020"):
        source_from({"reference": "kaplan2021", "status": "confirmed"})


def test_an_entry_with_an_unknown_key_is_refused():
    with pytest.raises(CatalogError, match="tdp_watt"):
        catalog.accelerators._build("x", {"name": "X", "tdp_watt": 400})


def test_an_entry_without_source_is_refused():
    with pytest.raises(MissingFact, match="sources"):
        catalog.accelerators._build("x", {"name": "X", "released": date(2020, 1, 1)})


# Lookup


@pytest.mark.parametrize("name", ["a100-sxm-80gb", "A100 SXM 80GB", "a100_sxm_80gb"])
def test_slug_and_display_name_find_the_same(name: str):
    assert catalog.accelerators[name].memory_bytes == 85e9


def test_an_unknown_name_lists_near_matches():
    with pytest.raises(UnknownName) as caught:
        catalog.accelerators["a100-sxm-60gb"]
    assert "a100-sxm-80gb" in str(caught.value)
    assert str(caught.value).startswith("accelerators has no 'a100-sxm-60gb'")
    assert isinstance(caught.value, KeyError)


def test_a_name_like_nothing_lists_what_there_is():
    with pytest.raises(UnknownName, match="has no 'zzzzzz'; for example: davinci-2020"):
        catalog.prices["zzzzzz"]


def test_tables_are_read_only_mappings():
    assert isinstance(catalog.models, Mapping)
    assert "gpt-3-175b" in catalog.models
    assert "gpt-5" not in catalog.models
    assert dict(catalog.models.items()).keys() == set(catalog.models)
    with pytest.raises(TypeError):
        catalog.models["gpt-3-175b"] = catalog.models["dbrx"]  # type: ignore[index]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        catalog.models["dbrx"].top_k = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        catalog.constants["kaplan2020"].values["N_c"] = 1  # type: ignore[index]


def test_a_missing_number_is_missing_and_never_zero():
    tpu = catalog.accelerators["tpu-v4"]
    assert tpu.peak_fp8_flop_per_s is None
    with pytest.raises(MissingFact, match=r"TPU v4 .*peak_fp8_flop_per_s"):
        tpu.need("peak_fp8_flop_per_s")
    zero_allowed = {"tied_embeddings", "n_shared_experts", "temperature", "counts_recomputation"}
    for parameter in ENTRIES:
        entry = parameter.values[0]
        assert not [k for k, v in stated(entry).items() if v == 0 and v is not False and k not in zero_allowed]


@pytest.mark.parametrize("slug", ["tpu-v4", "a100-sxm-80gb"])
def test_an_entry_can_be_changed_into_ones_own(slug: str):
    mine = attrs.evolve(catalog.accelerators[slug], memory_bytes=1e9)
    assert mine.rentals == catalog.accelerators[slug].rentals
    assert mine.memory_bytes == 1e9


def test_a_constant_is_read_by_its_symbol():
    fit = catalog.constants["hoffmann2022-tex"]
    assert fit.alpha == fit.need("alpha") == fit.values["alpha"].value == 0.3392
    with pytest.raises(AttributeError, match="it has E, A, B, alpha, beta"):
        _ = fit.omega


@pytest.mark.parametrize("name", TABLES)
def test_names_and_spellings_are_unique(name: str):
    spelled = [(spelling, entry.slug) for entry in TABLES[name].values() for spelling in _spellings(entry)]
    assert len({spelling for spelling, _ in spelled}) == len(spelled), "two entries share a spelling"


def _spellings(entry) -> set[str]:
    return {normal(entry.slug), normal(getattr(entry, "name", entry.slug))}


# Units and references


def all_units() -> set[str]:
    declared = {u for t in TABLES.values() for e in t.values() for _, u in catalog.describe(type(e)).values() if u}
    constants = {n.unit for t in (catalog.constants, catalog.epoch) for e in t.values() for n in e.values.values()}
    return declared | constants | {key.unit for key in catalog.measured_keys.values() if key.unit}


@pytest.mark.parametrize("unit", sorted(all_units() - {"1"}))
def test_units_are_units_of_the_book(unit: str):
    assert units.convert(3, f"({unit})", unit) == pytest.approx(3)


def test_each_field_has_a_label_and_the_entry_knows_its_unit():
    assert catalog.describe(catalog.Accelerator)["tdp_w"] == ("thermal design power", "W")
    assert catalog.accelerators["b200"].unit("tdp_w") == "W"
    assert catalog.constants["deepseek2024-batch"].unit("b") == "token"


def test_measurements_use_declared_keys_and_declare_no_others():
    used = {key for m in catalog.measurements.values() for key in (*m.setup, *m.measured)}
    assert used == set(catalog.measured_keys)


def test_measurements_name_accelerators_of_the_catalog():
    named = {m.accelerator for m in catalog.measurements.values() if m.accelerator}
    assert named <= set(catalog.accelerators)


def test_references_can_be_cited_and_told_apart():
    cited = [reference.cite() for reference in catalog.references.values()]
    assert len(set(cited)) == len(cited)
    assert not [words for words in cited if "and al." in words or ", et al." in words]
    assert catalog.references["kaplan2020"].cite() == "Kaplan et al. (2020)"
    assert catalog.references["nyt2024"].cite() == "Metz et al. (2024)"
    assert catalog.references["hobbhahn2022"].cite() == "Hobbhahn and Besiroglu (2022)"
    assert catalog.references["shazeer2019"].text().endswith("arXiv:1911.02150. https://arxiv.org/abs/1911.02150")


def test_references_named_by_fields_and_formulas_exist():
    from gpt4lab.quantities.registry import QUANTITIES
    from gpt4lab.scenario import FIELDS

    sources = [quantity.source for quantity in QUANTITIES.values()] + [field.source for field in FIELDS.values()]
    named = {key for source in sources for key in re.findall(r"\b[a-z]+\d{4}[a-z0-9]*\b", source)}
    assert named
    assert named <= set(catalog.references)


def test_arxiv_numbers_fit_the_year():
    for reference in catalog.references.values():
        if reference.arxiv:
            assert re.fullmatch(r"\d{4}\.\d{4,5}", reference.arxiv)
            assert abs(2000 + int(reference.arxiv[:2]) - reference.year) <= 1


def test_every_reference_has_a_link_or_says_why_not():
    for reference in catalog.references.values():
        assert reference.link.startswith("https://") or reference.note


def test_evidence_bears_on_claims_and_is_dated():
    for item in catalog.evidence.values():
        assert item.bears_on
        assert all(CLAIM.fullmatch(claim) for claim in item.bears_on)
        assert item.stance in ("for", "against", "neither")
        assert date(2022, 1, 1) <= item.date <= (item.until or item.date)
        assert item.says
        assert item.effect


def test_what_goes_back_to_the_leak_is_marked():
    dependent = {slug for slug, item in catalog.evidence.items() if not item.independent}
    assert {"epoch-database", "hotz-latent-space", "medec", "semianalysis-clusters"} <= dependent
    assert catalog.models["gpt-4-leak"].source_of("n_layers").status == "unconfirmed"


# The numbers against each other


INCOMPLETE = {"gshard-600b", "gpt-4-leak", "nvidia-gpt-moe-1.8t"}  # the shape is not published in full


@pytest.mark.parametrize("slug", sorted(set(catalog.models) - INCOMPLETE))
def test_shape_gives_the_published_size_or_the_entry_explains_the_gap(slug: str):
    model, counted = catalog.models[slug], published(catalog.models[slug])
    pairs = ((counted.total, model.need("params_total")), (counted.active, model.params_active or counted.active))
    gaps = {
        f"{abs(n / stated - 1):.1%} {'short' if n < stated else 'above'}"
        for n, stated in pairs
        if abs(n / stated - 1) > 0.01
    }
    assert all(gap in model.gap for gap in gaps)
    assert bool(gaps) == bool(model.gap)


@pytest.mark.parametrize("slug", sorted(INCOMPLETE))
def test_an_incomplete_shape_says_what_is_missing(slug: str):
    with pytest.raises(MissingFact, match=slug):
        published(catalog.models[slug])


@pytest.mark.parametrize("slug", ["gopher-280b", "chinchilla-70b"])
def test_relative_attention_closes_the_gap(slug: str):
    model = catalog.models[slug]
    extra = model.need("n_layers") * model.need("d_model") ** 2
    assert published(model).total + extra == pytest.approx(model.params_total, rel=0.003)


def test_gpt_oss_counts_what_multiplies_a_token():
    model = catalog.models["gpt-oss-120b"]
    assert published(model).multiplied == pytest.approx(model.params_active, rel=0.01)


def test_glam_uses_exactly_its_published_active_parameters():
    model = catalog.models["glam-64b-64e"]
    assert published(model).active == pytest.approx(model.params_active, rel=1e-3)


def test_nvidia_s_proxy_has_its_size_with_full_query_heads():
    """Its computed size counts no embedding; heads and vocabulary are those that we assume for the post."""
    model = attrs.evolve(catalog.models["nvidia-gpt-moe-1.8t"], n_heads=120, vocab_size=100_277, tied_embeddings=True)
    counted = published(model)
    assert counted.total - counted.embedding == pytest.approx(model.params_total, rel=1e-3)
    assert counted.active - counted.embedding == pytest.approx(model.params_active, rel=1e-3)


def test_training_flop_is_six_per_active_parameter_and_token():
    """A coarse check for slipped digits: published counts add attention, or leave embeddings out."""
    trained = [m for m in catalog.models.values() if m.training_flop and m.params_active and m.training_tokens]
    assert len(trained) >= 19
    for model in trained:
        flop = 6 * model.need("params_active") * model.need("training_tokens")
        assert 0.6 < model.need("training_flop") / flop < 1.3, model.name


@pytest.mark.parametrize("entry", catalog.accelerators.values(), ids=lambda a: a.slug)
def test_accelerators_are_plausible(entry: catalog.Accelerator):
    bf16 = entry.need("peak_bf16_flop_per_s")
    assert 1e14 < bf16 < 1e16
    assert (entry.peak_fp8_flop_per_s or bf16) >= bf16
    assert entry.need("network_bits_per_s") / 8 < entry.need("link_bytes_per_s") if entry.network_bits_per_s else True
    assert entry.need("link_bytes_per_s") < entry.need("bandwidth_bytes_per_s")
    for rental in entry.rentals:
        offers = [offer for offer in (rental.on_demand, rental.one_year, rental.three_years) if offer]
        assert offers == sorted(offers, reverse=True)
        assert 0.3 < offers[0] < 15


def test_megatron_rows_multiply_out():
    rows = [m for slug, m in catalog.measurements.items() if slug.startswith("megatron21-t1-")]
    assert len(rows) == 6
    for row in rows:
        layout = row.setup
        assert layout["tensor"] * layout["pipeline"] * layout["data"] == layout["gpus"]
        assert row.measured["flop_per_s_per_gpu"] * layout["gpus"] == pytest.approx(
            row.measured["flop_per_s"], rel=0.006
        )
        peak = catalog.accelerators[row.accelerator].peak_bf16_flop_per_s
        assert row.measured["flop_per_s_per_gpu"] / peak == pytest.approx(row.measured["hfu"], abs=0.006)


def test_megatron_days_follow_equation_4():
    for slug, row in catalog.measurements.items():
        if row.topic == "train_time":
            rate = row.measured.get("flop_per_s_per_gpu") or row.setup["flop_per_s_per_gpu"]
            days = 8 * row.setup["tokens"] * row.setup["params"] / (row.setup["gpus"] * rate) / 86_400
            assert days == pytest.approx(row.measured["days"], rel=0.035), slug


def test_speculation_rows_follow_theorem_3_8():
    for slug, row in catalog.measurements.items():
        if slug.startswith("leviathan23-"):
            a, g, c = (row.setup[key] for key in ("acceptance", "draft_tokens", "draft_cost"))
            speedup = (1 - a ** (g + 1)) / ((1 - a) * (g * c + 1))
            assert speedup == pytest.approx(row.measured["expected_speedup"], abs=0.07), slug


def test_published_kv_cache_agrees_with_the_shape():
    model = catalog.models["llama-3.1-405b"]
    per_token = 2 * model.n_layers * model.n_kv_heads * model.head_dim * 2
    assert catalog.measurements["kv-llama-3.1-405b"].measured["kv_bytes_per_token"] == pytest.approx(
        per_token, rel=1e-3
    )
    model = catalog.models["deepseek-v3"]
    per_token = model.n_layers * (model.kv_lora_rank + model.rope_head_dim) * 2
    assert catalog.measurements["kv-deepseek-v3"].measured["kv_bytes_per_token"] == pytest.approx(per_token, rel=0.01)


def test_ludziejewski_at_16_experts_follows_from_the_joint_law():
    joint, e16 = catalog.constants["ludziejewski2025"], catalog.constants["ludziejewski2025-e16"]
    saturated = 1 / (1 / (16 - 1 + 1 / (1 / joint.E_start - 1 / joint.E_max)) + 1 / joint.E_max)
    assert joint.a * saturated**joint.delta == pytest.approx(e16.m, rel=1e-3)
    assert joint.alpha + joint.gamma * log(saturated) == pytest.approx(e16.mu, rel=1e-3)
    assert joint.b * saturated**joint.omega == pytest.approx(e16.n, rel=1e-3)
    assert joint.beta + joint.zeta * log(saturated) == pytest.approx(e16.nu, rel=1e-3)


def test_published_mfu_joins_both_tables_by_date():
    runs = catalog.published_mfu()
    assert {"Megatron 1T", "PaLM 540B", "GPT-4 (leak)"} <= {run.name for run in runs}
    assert [run.released for run in runs] == sorted(run.released for run in runs)


# Cost of importing


def test_import_parses_nothing_and_loads_no_numpy():
    code = "import sys; from gpt4lab import catalog; print('tomllib' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_falcon_180b_has_two_tables():
    """Its weights hold so many numbers; each layer has two norms, a last one follows, scale and shift each."""
    shape = network_of("falcon-180b")
    norms = (2 * shape.layers + 1) * 2 * shape.d_model
    assert published(catalog.models["falcon-180b"]).total + norms == 179_522_565_120
