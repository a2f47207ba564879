"""The evaluation: its figures against brute force, its reports, its files, its command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.evaluation.load import load_vectors
from fastfunnel.evaluation.measure import Measured

Floats = npt.NDArray[np.float32]
DIM, K = 64, 5


def vectors(n: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((n, DIM)) / (1 + np.arange(DIM) / 8)
    return (drawn * rng.lognormal(0, 1, (n, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def evaluation() -> ff.Evaluation:
    return ff.evaluate(vectors(3000, 0), vectors(120, 1), k=K, recall=0.9, budget_s=2)


def named(evaluation: ff.Evaluation, name: str) -> Measured:
    return next(one for one in evaluation.measured if one.name == name)


def test_recalls_are_those_of_brute_force(evaluation: ff.Evaluation) -> None:
    base = vectors(3000, 0).astype(np.float64)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    queries = vectors(120, 1)[np.random.default_rng(0).permutation(120)][60:].astype(np.float64)
    truth = np.argsort(-(queries @ base.T), axis=1)[:, :K]

    def recall(rows: npt.NDArray[np.float64]) -> float:
        found = np.argsort(-(queries[:, :16] @ rows.T), axis=1)[:, :K]
        return float(np.mean([np.isin(t, f).mean() for t, f in zip(truth, found, strict=True)]))

    raw = base[:, :16]
    cosine = recall(raw / np.linalg.norm(raw, axis=1, keepdims=True))
    assert named(evaluation, "16 dims").recall == pytest.approx(cosine, abs=1e-3)
    not_renormalised = named(evaluation, "16 dims, not renormalised").recall
    assert not_renormalised == pytest.approx(recall(raw), abs=1e-3)
    assert named(evaluation, "all dims, exact").recall == 1


def test_the_experiment_of_the_literature_is_complete(evaluation: ff.Evaluation) -> None:
    names = [one.name for one in evaluation.measured]
    for dims in (32, 16, 8, 4):
        assert f"{dims} dims" in names
        assert f"{dims} dims, not renormalised" in names
    assert {"two stages", "1/32 … full schedule", "1 bit", "int8", "default", "tuned"} <= {*names}
    assert named(evaluation, "1 bit").ram_mb == DIM / 8
    assert named(evaluation, "all dims, exact").memory_saved == 0
    assert evaluation.n_queries == 60


def test_it_prints_and_exports(evaluation: ff.Evaluation, tmp_path: Path) -> None:
    data = json.loads(evaluation.to_json(tmp_path / "e.json"))
    assert len(data["measured"]) == len(evaluation.measured)
    for name in ("recall@5", "p99 ms", "queries/s", "RAM saved", "tuned"):
        assert name in str(evaluation)


def test_the_page_needs_nothing_else(evaluation: ff.Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    page = evaluation.to_html(tmp_path / "e.html")
    written = evaluation.save_plots(tmp_path)

    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page
    assert [path.name for path in written] == ["recall.png", "pareto.png", "memory.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert evaluation.tuning.plot(tmp_path / "front.png") is not None


def test_rows_are_held_out_where_there_are_no_queries() -> None:
    found = ff.evaluate(vectors(600, 2), k=3, recall=0.8, budget_s=0.5, progress=False)
    assert found.held_out
    assert (found.n_rows, found.n_queries) == (480, 60)
    assert "held out" in found.title


def test_too_few_queries_are_named() -> None:
    with pytest.raises(ValueError, match="queries must be at least 4, got 2"):
        ff.evaluate(vectors(100, 0), vectors(2, 0))
    with pytest.raises(ValueError, match="base must have at least 20 rows to hold queries out"):
        ff.evaluate(vectors(19, 0))


def test_numpy_files_are_read(tmp_path: Path) -> None:
    rows = vectors(20, 3)
    np.save(tmp_path / "a.npy", rows)
    np.savez(tmp_path / "one.npz", rows)
    np.savez(tmp_path / "named.npz", ids=np.arange(20), vectors=rows)
    np.savez(tmp_path / "two.npz", a=rows, b=rows)
    np.save(tmp_path / "flat.npy", rows[0])
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)

    for name in ("a.npy", "one.npz", "named.npz"):
        assert (load_vectors(tmp_path / name) == rows).all()
    with pytest.raises(ValueError, match="must hold one array"):
        load_vectors(tmp_path / "two.npz")
    with pytest.raises(ValueError, match="2-D array of numbers"):
        load_vectors(tmp_path / "flat.npy")
    with pytest.raises(ValueError, match=r"must be an \.npy array"):
        load_vectors(tmp_path / "objects.npy")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_vectors(tmp_path / "none.npy")
    (tmp_path / "not.npz").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"must be an \.npz archive"):
        load_vectors(tmp_path / "not.npz")
    (tmp_path / "a.csv").write_text("1,2", encoding="utf-8")
    with pytest.raises(ValueError, match="must end in one of"):
        load_vectors(tmp_path / "a.csv")


def test_parquet_and_arrow_files_are_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    rows = vectors(20, 4)
    table = arrow.table({"id": range(20), "embedding": rows.tolist()})
    fixed = arrow.FixedSizeListArray.from_arrays(arrow.array(rows.ravel()), DIM)
    parquet.write_table(table, tmp_path / "a.parquet")
    feather.write_feather(arrow.table({"v": fixed}), tmp_path / "a.arrow")
    with arrow.ipc.new_stream(str(tmp_path / "stream.arrow"), table.schema) as stream:
        stream.write_table(table)
    assert np.allclose(load_vectors(tmp_path / "stream.arrow"), rows)
    for name in ("bad.parquet", "bad.arrow", "bad.feather"):
        (tmp_path / name).write_bytes(b"no table at all")
        with pytest.raises(ValueError, match=f"{name} must be a"):
            load_vectors(tmp_path / name)
    ragged = arrow.table({"v": [[1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]})
    parquet.write_table(ragged, tmp_path / "ragged.parquet")

    assert np.allclose(load_vectors(tmp_path / "a.parquet"), rows)
    assert (load_vectors(tmp_path / "a.arrow") == rows).all()
    with pytest.raises(ValueError, match="one length"):
        load_vectors(tmp_path / "ragged.parquet")


def test_texts_are_embedded(tmp_path: Path) -> None:
    pytest.importorskip("wordllama")
    (tmp_path / "a.txt").write_text("a red fox\n\nbread and salt\n", encoding="utf-8")
    assert load_vectors(tmp_path / "a.txt").shape == (2, 256)
    (tmp_path / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(ValueError, match="must be UTF-8 text"):
        load_vectors(tmp_path / "latin.txt")
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match="must hold a text a line"):
        load_vectors(tmp_path / "empty.txt")


@pytest.mark.parametrize(
    ("n", "dim", "k"), [(60, 1, 3), (300, 100, 5), (90, 770, 20), (40, 64, 39), (2500, 9, 300)]
)
def test_odd_shapes_are_evaluated(n: int, dim: int, k: int) -> None:
    rng = np.random.default_rng(n)
    base = rng.standard_normal((n, dim)) * rng.lognormal(0, 3, (n, 1))
    base[:5] = base[5]  # duplicates
    found = ff.evaluate(base, base[::3], k=k - 1, recall=0.9, budget_s=0.5, progress=False)

    assert named(found, "all dims, exact").recall == 1
    assert all(0 <= one.recall <= 1 and one.p50_ms > 0 for one in found.measured)
    assert named(found, "tuned").recall >= 0.9


def test_zero_rows_and_queries_that_are_rows() -> None:
    base = vectors(2500, 8)
    base[::7] = 0
    found = ff.evaluate(base, base[:60], k=K, recall=0.9, budget_s=1, progress=False)

    assert named(found, "tuned").recall >= 0.9


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("typer")
    from fastfunnel.cli import main

    np.save(tmp_path / "base.npy", vectors(400, 5))
    np.save(tmp_path / "queries.npy", vectors(20, 6))
    files = [str(tmp_path / "base.npy"), str(tmp_path / "queries.npy")]
    options = ["-k", "3", "--recall", "0.9", "--budget", "0.5", "--json"]
    monkeypatch.setattr(sys, "argv", ["fastfunnel", "evaluate", *files, *options])
    with pytest.raises(SystemExit) as exit_info:
        main()

    assert exit_info.value.code in (0, None)
    assert json.loads(capsys.readouterr().out)["k"] == 3
