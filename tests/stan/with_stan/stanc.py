"""stanc and Stan's functions, as stanli carries them, in a process of its own: it may crash on odd programs."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any

from pathfinder.stan import StanError, check, parse


_SERVER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import stanli

def verdict(program):
    try:
        stanli.stan_to_mir(program)
    except RuntimeError as error:  # all that stanli raises
        return str(error) or "refused"
    return ""

def density(program, data, positions):
    try:
        model = stanli.Model(stan_code=program, data=data)
    except RuntimeError as error:
        return str(error) or "refused"
    found = []
    for position in positions:
        try:
            value, gradient = model.log_prob_grad(position[: model.n_unconstrained])
            found.append([value, list(gradient)])
        except RuntimeError:
            found.append(None)
    return found

for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(verdict(*request) if len(request) == 1 else density(*request)), flush=True)
"""


class Stanc:
    """Tells what is wrong with programs; the empty string if nothing is, and None if stanc crashed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Stanc":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._stop(self._process)

    def __call__(self, program: str) -> str | None:
        return self._ask(program)

    def density(self, program: str, data: dict[str, Any], positions: list[list[float]]) -> Any:
        """Log densities and gradients at unconstrained points, of which the leading numbers are taken.

        Returns:
            For each point the value and the gradient, or None where the density cannot be evaluated; a text if stanli
            cannot run the program, and None if it crashed.
        """
        return self._ask(program, data, positions)

    def _ask(self, *request: Any) -> Any:
        if self._process is None:
            command = [sys.executable, "-c", _SERVER]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            self._stop(process)
            return None
        return json.loads(answer)

    def _stop(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait()
        self._process = None


def require_same_verdict(stanc: "Stanc", program: str) -> None:
    """Check that a program is accepted or refused as stanc does; nothing if stanc crashed on it."""
    try:
        check(parse(program))
        ours = ""
    except StanError as error:
        ours = str(error)
    theirs = stanc(program)
    assert theirs is None or bool(ours) == bool(theirs), f"{program}\nours: {ours}\nstanc: {theirs}"
