"""The model card: all that it must say, in Markdown that nothing from outside breaks."""

import re
from typing import Any

import pytest

from indexer.training.history import EpochRecord
from indexer.training.model_card import Figures, compared_figures, escaped, measured_on, model_card, spelt

ABOUT = {"Started from": "default", "Trained on": "40 objects", "Seed": "3"}
COMMAND = "artifact train photos --out encoder --seed 3"
LIMITS_AND_LICENCE = ("## Limits", "careful copy by hand", "## Licence", "To be filled in")


def figure(value: float, low: float, high: float, n: int = 30) -> dict[str, float]:
    return {"value": value, "low": low, "high": high, "n": n}


BEFORE: Figures = {"eer": figure(0.3, 0.25, 0.35), "recall_at_1": figure(0.7, 0.6, 0.8)}
AFTER: Figures = {"eer": figure(0.1, 0.05, 0.15), "recall_at_1": figure(0.75, 0.65, 0.85)}
HISTORY = [
    EpochRecord("head", number, 0.2, 0.5, 0.01, 1.1, 0.8, 0.1, 0.9, 60.0, 500, best)
    for number, best in ((1, True), (2, True), (3, False))
]


def card(**changed: Any) -> str:
    values = {"about": ABOUT, "command": COMMAND, "history": HISTORY, "before": BEFORE, "after": AFTER} | changed
    return model_card(changed.pop("name", "prints"), **{key: value for key, value in values.items() if key != "name"})


def test_the_card_says_all_that_is_needed() -> None:
    text = card()
    assert text.startswith("# The encoder prints\n")
    for key, value in ABOUT.items():
        assert f"\n- {key}: {value}\n" in text
    assert f"\n```sh\n{COMMAND}\n```\n" in text
    assert "3 epochs, 1,500 views, 3:00; kept: epoch 2" in text
    assert "Measured on 30 objects held back" in text
    assert "| EER | 0.300 (0.250 to 0.350) | 0.100 (0.050 to 0.150) | better | 30 |" in text
    assert "| recall@1 | 0.700 (0.600 to 0.800) | 0.750 (0.650 to 0.850) | intervals overlap | 30 |" in text
    assert all(said in text for said in LIMITS_AND_LICENCE)
    assert all(len(line) <= 120 for line in text.splitlines())


def test_the_order_is_that_of_what_was_given() -> None:
    text = card(about=dict(reversed(ABOUT.items())))
    assert text.index("Seed") < text.index("Trained on") < text.index("Started from") < text.index("EER")


def test_figures_of_validation_objects_are_not_passed_off_as_a_test() -> None:
    text = card(tested=False)
    assert "30 objects of validation, for none were held back" in text
    assert "objects held back" not in text
    assert "chosen by them" in text


def test_nothing_from_outside_breaks_the_markdown() -> None:
    hostile = "a | b\n# title `code` <img src=x> *x* _x_ [l](u) tf_net"
    text = card(about={"Trained on": hostile}, command="artifact train '```' photos", name="x\n# y")
    line = next(line for line in text.splitlines() if line.startswith("- Trained on"))
    assert line.endswith(r"a \| b \# title \`code\` \<img src=x\> \*x\* \_x\_ \[l\](u) tf_net")
    assert "\n````sh\nartifact train '```' photos\n````\n" in text
    assert not re.search(r"^# (y|title)", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("eer", (0.3, 0.2, 0.4), (0.1, 0.05, 0.15), "better"),
        ("eer", (0.1, 0.05, 0.15), (0.3, 0.2, 0.4), "worse"),
        ("recall_at_1", (0.3, 0.2, 0.4), (0.1, 0.05, 0.15), "worse"),
        ("recall_at_1", (0.1, 0.05, 0.15), (0.3, 0.2, 0.4), "better"),
        ("false_alarm_rate", (0.3, 0.2, 0.4), (0.1, 0.05, 0.15), "better"),
        ("miss_rate", (0.1, 0.05, 0.15), (0.3, 0.2, 0.4), "worse"),
        ("auc_forgeries", (0.7, 0.6, 0.8), (0.9, 0.8, 0.95), "intervals overlap"),  # they touch
        ("gap", (0.7, 0.6, 0.75), (0.72, 0.5, 0.9), "intervals overlap"),
    ],
)
def test_only_what_lies_apart_is_called_a_change(name: str, before: Any, after: Any, said: str) -> None:
    (row,) = compared_figures({name: figure(*before)}, {name: figure(*after)})
    assert row.said == said
    assert row.after is not None and row.after.value == after[0]


def test_a_figure_of_one_side_is_shown_as_such() -> None:
    rows = compared_figures({"gap": figure(0.5, 0.4, 0.6, 10)}, {"eer": figure(0.1, 0.0, 0.2, 12)})
    assert [(row.name, row.said, row.objects) for row in rows] == [
        ("EER", "not measured on both", "12"),
        ("GAP", "not measured on both", "10"),
    ]
    assert "| EER | none | 0.100 (0.000 to 0.200) |" in card(before={}, after={"eer": figure(0.1, 0.0, 0.2)})


@pytest.mark.parametrize(("name", "said"), [
    ("recall_at_1", "recall@1"), ("recall@1", "recall@1"), ("eer", "EER"), ("map", "mAP"), ("f1", "F1"),
    ("auc_forgeries", "AUC forgeries"), ("accuracy", "accuracy"),
])  # fmt: skip
def test_names_are_spelt_as_people_do(name: str, said: str) -> None:
    assert spelt(name) == said


def test_the_number_of_objects_is_a_range_where_figures_differ() -> None:
    assert "on 5 to 1,200 objects" in measured_on(
        {"eer": figure(0, 0, 0, 5)}, {"auc": figure(0, 0, 0, 1200)}, tested=True
    )
    assert "on no objects" in measured_on({}, {}, tested=True)


def test_escaping_leaves_plain_text_alone() -> None:
    assert escaped("tf_efficientnet_lite2, 260 x 260 (fp16)") == "tf_efficientnet_lite2, 260 x 260 (fp16)"
