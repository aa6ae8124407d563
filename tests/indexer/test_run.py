"""The steps of a training that its parts do not have: one work known again, the first projection."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.inputs.labels import LabelledPhoto, LabelledPhotos  # noqa: E402
from indexer.metric_learning.whitening import discriminative_whitening  # noqa: E402
from indexer.training import run as training  # noqa: E402
from indexer.training.plan import rows_showing  # noqa: E402
from indexer.training.pool import Pool  # noqa: E402
from indexer.training.run import agreement, project_by_whitening  # noqa: E402
from tests.indexer.plans import SPLIT  # noqa: E402
from tests.pictures import painting  # noqa: E402


def test_photographs_of_one_work_agree_and_others_do_not(plan, tmp_path, monkeypatch):
    read = Counter()
    known = training.read_photograph
    monkeypatch.setattr(
        training, "read_photograph", lambda path, **more: read.update([path.name]) or known(path, **more)
    )
    photos = [LabelledPhoto(tmp_path / f"{number}.png", f"K-{number}", True) for number in range(3)]
    for photo, picture in zip(photos, (painting(1), painting(1).resize((400, 300)), painting(2)), strict=True):
        picture.save(photo.path)
    plan = replace(plan, labelled=LabelledPhotos(tuple(photos)))
    pool = Pool(plan.rows, np.zeros(0), 0)
    first = [next(place for place, row in enumerate(pool.rows) if row.photo == number) for number in range(3)]
    agree = agreement(plan, pool)
    assert agree(first[0], first[1]) and not agree(first[0], first[2]) and not agree(first[2], first[1])
    assert agree(first[0] + 1, first[1] + 1)  # by the photo, not by what was made of it
    assert read == {"0.png": 1, "1.png": 1, "2.png": 1}


@pytest.mark.slow
def test_the_projection_is_learned_from_genuine_training_pictures(plan, known):
    random = np.random.default_rng(0)
    known.pool = replace(known.pool, features=random.normal(0, 1, (len(known.pool.rows), 1280)).astype(np.float32))
    rows = rows_showing(plan, known.pool, SPLIT.training)
    project_by_whitening(known, rows, 4)
    genuine = [row for row in rows if known.genuine[row]]
    weight, bias = discriminative_whitening(known.pool.features[genuine], known.objects[genuine], 4)
    assert known.network.projection == 4 and len(genuine) < len(rows)
    assert torch.allclose(known.network.project.weight, torch.from_numpy(weight).float(), atol=1e-6)
    assert torch.allclose(known.network.project.bias, torch.from_numpy(bias).float(), atol=1e-6)


def test_a_projection_is_no_larger_than_what_it_projects(plan, known):
    random = np.random.default_rng(0)
    known.pool = replace(known.pool, features=random.normal(0, 1, (len(known.pool.rows), 1280)).astype(np.float32))
    project_by_whitening(known, rows_showing(plan, known.pool, SPLIT.training), 5000)
    assert known.network.projection == 1280 == known.network.pooled_size()
    spread = known.network.project(torch.from_numpy(known.pool.features)).std(0)
    assert (spread > 0).sum() > 8  # more than six objects can span by their means alone
