"""Train a static embedding model on WordNet twice, with and without the Matryoshka loss, and compare.

    pip install '.[cli,sentence-transformers]' datasets accelerate   # Debian: apt-get install wordnet-base
    python examples/train_matryoshka.py --out matryoshka

Pairs are a synset's words or example sentence, and its gloss. The example sentences of 2,000 synsets
are held out: a query is such a sentence, its answer the synset it was cut out of, among all 117,659.
The Matryoshka loss is the sum of the same loss at every length of DIMS; without it a prefix is
whatever the full length happens to leave there. One core, a few minutes a model.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import (
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

import fastfunnel as ff
from fastfunnel.demo.passage import Passage
from fastfunnel.demo.wordnet import read_wordnet, wordnet_directory
from fastfunnel.figures import new_figure

DIMS = (768, 256, 128, 64, 32)
TWELFTH = 64
HELD_OUT = 2000
VOCABULARY = 16_000
BATCH = 1024


def main() -> None:
    """Train, measure, plot."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    directory = wordnet_directory()
    if directory is None:
        raise SystemExit("WordNet is not here: apt-get install wordnet-base")
    passages = read_wordnet(directory)
    asked = [place for place, one in enumerate(passages) if one.query]
    held_out = sorted(random.Random(0).sample(asked, HELD_OUT))
    pairs = training_pairs(passages, set(held_out))
    texts = [one.without_query() if one.query else one.text for one in passages]
    questions = [passages[place].query for place in held_out]
    tokenizer = train_tokenizer([text for pair in pairs for text in pair])
    print(f"{len(pairs):,} pairs, {len(texts):,} texts, {len(questions):,} held-out questions")

    curves = {}
    for name, dims in (("with the Matryoshka loss", DIMS), ("without", None)):
        started = time.perf_counter()
        model = train(tokenizer, pairs, dims, options.epochs, options.out / "checkpoints")
        seconds = time.perf_counter() - started
        model.save(str(options.out / name.replace(" ", "-")))
        curves[name] = quality(model, texts, questions, held_out)
        share = curves[name][TWELFTH] / curves[name][DIMS[0]]
        print(
            f"{name}: trained in {seconds:.0f} s, {share:.1%} of nDCG@10 kept at 1/12 of the dims"
        )
        for dim, value in curves[name].items():
            print(f"  {dim:4} dims: nDCG@10 {value:.4f}")
    plot(curves, options.out / "matryoshka.png")


def training_pairs(passages: list[Passage], held_out: set[int]) -> list[tuple[str, str]]:
    """Return (words, gloss) of every synset, and (example, gloss) of those not held out."""
    pairs = []
    for place, one in enumerate(passages):
        words, _, gloss = (one.without_query() if one.query else one.text).partition(": ")
        pairs.append((words, gloss))
        if one.query and place not in held_out:
            pairs.append((one.query, f"{words}: {gloss}"))
    return [pair for pair in pairs if all(pair)]


def train_tokenizer(texts: list[str]) -> Tokenizer:
    """Return a WordPiece tokenizer of these texts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[PAD]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def train(
    tokenizer: Tokenizer,
    pairs: list[tuple[str, str]],
    dims: tuple[int, ...] | None,
    epochs: float,
    checkpoints: Path,
) -> SentenceTransformer:
    """Return a model trained from the same seed on the same batches; `dims` None is the plain loss."""
    torch.manual_seed(0)
    module = StaticEmbedding(tokenizer, embedding_dim=DIMS[0])
    model = SentenceTransformer(modules=[module], device="cpu")
    loss = MultipleNegativesRankingLoss(model)
    if dims is not None:
        loss = MatryoshkaLoss(model, loss, matryoshka_dims=list(dims))
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=epochs,
        per_device_train_batch_size=BATCH,
        learning_rate=0.2,  # what static models are trained at: only looked-up rows move
        warmup_steps=20,
        seed=0,
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_steps=100,
    )
    anchors, positives = zip(*pairs, strict=True)
    data = Dataset.from_dict({"anchor": anchors, "positive": positives})
    SentenceTransformerTrainer(model, arguments, train_dataset=data, loss=loss).train()
    return model


def quality(
    model: SentenceTransformer, texts: list[str], questions: list[str], answers: list[int]
) -> dict[int, float]:
    """Return nDCG@10 of exact search at each length; one text is the answer of each question."""
    base = model.encode(texts, batch_size=BATCH, show_progress_bar=False)
    queries = model.encode(questions, batch_size=BATCH, show_progress_bar=False)
    found = {}
    for dim in DIMS:
        result = ff.exact_search(ff.truncate(base, dim), ff.truncate(queries, dim), k=10)
        gains = 1 / np.log2(np.arange(10) + 2)
        found[dim] = float(((result.ids == np.array(answers)[:, None]) * gains).sum(axis=1).mean())
    return found


def plot(curves: dict[str, dict[int, float]], path: Path) -> None:
    """Draw the share of full quality kept at each length."""
    figure, axes = new_figure()
    for name, curve in curves.items():
        shares = [curve[dim] / curve[DIMS[0]] for dim in DIMS]
        axes.plot(DIMS, shares, marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(DIMS, [str(dim) for dim in DIMS])
    axes.set_xlabel("leading dims kept")
    axes.set_ylabel("nDCG@10 as a share of all dims'")
    axes.set_ylim(0, 1.05)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
