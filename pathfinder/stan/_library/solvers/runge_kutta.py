"""Explicit Runge-Kutta methods with estimates of their errors.

Sources: Hairer, Norsett and Wanner (1993), "Solving Ordinary Differential Equations I", tables II.5.2 and, for the
method of order eight, section II.10 and the authors' code `dop853.f`.

Arrays have the lanes, problems that are solved side by side, as their last axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


Slope = Callable[..., jax.Array]  # (time, state, active arguments) to the derivative of the state
Row = dict[int, float]  # stage (from 0) to its coefficient


class Tableau(NamedTuple):
    """A method whose last slope, at the end of the step, is the first one of the next step.

    Attributes:
        nodes: Times of the stages after the first, in units of the step.
        stages: What these stages take of the slopes before them.
        weights: What the new state takes of the slopes.
        errors: Estimates of the error from all slopes, also that at the end of the step. Of two, the first is the more
            accurate, and the second of order three.
        exponent: Power of the step that the estimated error grows with.
    """

    nodes: tuple[float, ...]
    stages: tuple[Row, ...]
    weights: Row
    errors: tuple[Row, ...]
    exponent: int


_FIFTH = {0: 35 / 384, 2: 500 / 1113, 3: 125 / 192, 4: -2187 / 6784, 5: 11 / 84}
_FOURTH = {0: 5179 / 57600, 2: 7571 / 16695, 3: 393 / 640, 4: -92097 / 339200, 5: 187 / 2100, 6: 1 / 40}
DORMAND_PRINCE = Tableau(
    nodes=(1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0),
    stages=(
        {0: 1 / 5},
        {0: 3 / 40, 1: 9 / 40},
        {0: 44 / 45, 1: -56 / 15, 2: 32 / 9},
        {0: 19372 / 6561, 1: -25360 / 2187, 2: 64448 / 6561, 3: -212 / 729},
        {0: 9017 / 3168, 1: -355 / 33, 2: 46732 / 5247, 3: 49 / 176, 4: -5103 / 18656},
    ),
    weights=_FIFTH,
    errors=({stage: _FIFTH.get(stage, 0.0) - _FOURTH[stage] for stage in _FOURTH},),
    exponent=5,
)

_EIGHTH = {
    0: 5.42937341165687622380535766363e-2, 5: 4.45031289275240888144113950566, 6: 1.89151789931450038304281599044,
    7: -5.8012039600105847814672114227, 8: 3.1116436695781989440891606237e-1, 9: -1.52160949662516078556178806805e-1,
    10: 2.01365400804030348374776537501e-1, 11: 4.47106157277725905176885569043e-2,
}  # fmt: skip
_THIRD = {
    0: 0.244094488188976377952755905512,
    8: 0.733846688281611857341361741547,
    11: 0.220588235294117647058823529412e-1,
}
DOP853 = Tableau(
    nodes=(
        0.526001519587677318785587544488e-1, 0.789002279381515978178381316732e-1, 0.118350341907227396726757197510,
        0.281649658092772603273242802490, 1 / 3, 1 / 4, 4 / 13, 0.651282051282051282051282051282, 3 / 5, 6 / 7, 1.0,
    ),
    stages=(
        {0: 5.26001519587677318785587544488e-2},
        {0: 1.97250569845378994544595329183e-2, 1: 5.91751709536136983633785987549e-2},
        {0: 2.95875854768068491816892993775e-2, 2: 8.87627564304205475450678981324e-2},
        {0: 2.41365134159266685502369798665e-1, 2: -8.84549479328286085344864962717e-1,
         3: 9.24834003261792003115737966543e-1},
        {0: 3.7037037037037037037037037037e-2, 3: 1.70828608729473871279604482173e-1,
         4: 1.25467687566822425016691814123e-1},
        {0: 3.7109375e-2, 3: 1.70252211019544039314978060272e-1, 4: 6.02165389804559606850219397283e-2,
         5: -1.7578125e-2},
        {0: 3.70920001185047927108779319836e-2, 3: 1.70383925712239993810214054705e-1,
         4: 1.07262030446373284651809199168e-1, 5: -1.53194377486244017527936158236e-2,
         6: 8.27378916381402288758473766002e-3},
        {0: 6.24110958716075717114429577812e-1, 3: -3.36089262944694129406857109825,
         4: -8.68219346841726006818189891453e-1, 5: 2.75920996994467083049415600797e1,
         6: 2.01540675504778934086186788979e1, 7: -4.34898841810699588477366255144e1},
        {0: 4.77662536438264365890433908527e-1, 3: -2.48811461997166764192642586468,
         4: -5.90290826836842996371446475743e-1, 5: 2.12300514481811942347288949897e1,
         6: 1.52792336328824235832596922938e1, 7: -3.32882109689848629194453265587e1,
         8: -2.03312017085086261358222928593e-2},
        {0: -9.3714243008598732571704021658e-1, 3: 5.18637242884406370830023853209, 4: 1.09143734899672957818500254654,
         5: -8.14978701074692612513997267357, 6: -1.85200656599969598641566180701e1,
         7: 2.27394870993505042818970056734e1, 8: 2.49360555267965238987089396762, 9: -3.0467644718982195003823669022},
        {0: 2.27331014751653820792359768449, 3: -1.05344954667372501984066689879e1, 4: -2.00087205822486249909675718444,
         5: -1.79589318631187989172765950534e1, 6: 2.79488845294199600508499808837e1,
         7: -2.85899827713502369474065508674, 8: -8.87285693353062954433549289258, 9: 1.23605671757943030647266201528e1,
         10: 6.43392746015763530355970484046e-1},
    ),
    weights=_EIGHTH,
    errors=(
        {
            0: 0.1312004499419488073250102996e-1, 5: -0.1225156446376204440720569753e1,
            6: -0.4957589496572501915214079952, 7: 0.1664377182454986536961530415e1,
            8: -0.3503288487499736816886487290, 9: 0.3341791187130174790297318841,
            10: 0.8192320648511571246570742613e-1, 11: -0.2235530786388629525884427845e-1,
        },
        {stage: weight - _THIRD.get(stage, 0.0) for stage, weight in _EIGHTH.items()},
    ),
    exponent=8,
)  # fmt: skip


def _combination(row: Row, slopes: list[jax.Array]) -> jax.Array:
    first, *rest = ((weight, slopes[stage]) for stage, weight in row.items())
    return sum((weight * slope for weight, slope in rest), first[0] * first[1])


def explicit_step(tableau: Tableau, rhs: Slope, time: Any, size: Any, state: Any, slope: Any, active: Any) -> Any:
    """One step: the new state, its slope, and the estimated errors, the most accurate one first."""
    slopes = [slope]
    for node, row in zip(tableau.nodes, tableau.stages, strict=True):
        slopes.append(rhs(time + node * size, state + size[None] * _combination(row, slopes), active))
    new = state + size[None] * _combination(tableau.weights, slopes)
    slopes.append(rhs(time + size, new, active))
    return new, slopes[-1], tuple(size[None] * _combination(row, slopes) for row in tableau.errors)


def error_ratio(errors: tuple[jax.Array, ...], scale: jax.Array) -> jax.Array:
    """Root mean square of the error in units of `scale`; the step is accepted below one."""
    squares = [jnp.mean(jnp.square(error / scale), axis=0) for error in errors]
    if len(squares) == 1:
        return jnp.sqrt(squares[0])
    total = squares[0] + 0.01 * squares[1]  # Hairer, Norsett and Wanner (1993), equation II.10.17
    return squares[0] / jnp.sqrt(jnp.where(total > 0, total, 1.0))


def first_step(tableau: Tableau, rhs: Slope, time: Any, state: Any, slope: Any, active: Any, scale: Any) -> jax.Array:
    """A first guess of the step (Hairer, Norsett and Wanner, 1993, section II.4)."""

    def size_of(x):
        return jnp.sqrt(jnp.mean(jnp.square(x / scale), axis=0))

    state_size, slope_size = size_of(state), size_of(slope)
    tiny = (state_size < 1e-5) | (slope_size < 1e-5)
    guess = jnp.where(tiny, 1e-6, 0.01 * state_size / jnp.where(tiny, 1.0, slope_size))
    ahead = rhs(time + guess, state + guess[None] * slope, active)
    largest = jnp.maximum(slope_size, size_of(ahead - slope) / guess)
    flat = largest <= 1e-15
    by_slopes = (0.01 / jnp.where(flat, 1.0, largest)) ** (1 / tableau.exponent)
    return jnp.minimum(100 * guess, jnp.where(flat, jnp.maximum(1e-6, 1e-3 * guess), by_slopes))
