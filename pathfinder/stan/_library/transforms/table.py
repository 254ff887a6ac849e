"""All constraining transforms, by the word of the type; for scalars and elementwise bounds see `bounds`."""

from __future__ import annotations

from pathfinder.stan._library.transforms.bounds import check_bounded as check_bounded
from pathfinder.stan._library.transforms.bounds import constrain_bounded as constrain_bounded
from pathfinder.stan._library.transforms.bounds import constrain_scaled as constrain_scaled
from pathfinder.stan._library.transforms.bounds import free_of_bounded as free_of_bounded
from pathfinder.stan._library.transforms.bounds import satisfied_bounded as satisfied_bounded
from pathfinder.stan._library.transforms.bounds import unconstrain_bounded as unconstrain_bounded
from pathfinder.stan._library.transforms.bounds import unconstrain_scaled as unconstrain_scaled
from pathfinder.stan._library.transforms.matrices import MATRIX_TRANSFORMS
from pathfinder.stan._library.transforms.transform import Transform as Transform
from pathfinder.stan._library.transforms.vectors import VECTOR_TRANSFORMS


TRANSFORMS: dict[str, Transform] = {**VECTOR_TRANSFORMS, **MATRIX_TRANSFORMS}
