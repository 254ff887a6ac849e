"""stanc, as stanli carries it, in a process of its own: it may crash on odd programs."""

import json
import subprocess
import sys
from types import TracebackType


_SERVER = """
import json, sys, stanli
for line in sys.stdin:
    try:
        stanli.stan_to_mir(json.loads(line))
        verdict = ""
    except RuntimeError as error:  # all that stanli raises
        verdict = str(error) or "refused"
    print(json.dumps(verdict), flush=True)
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
        if self._process is None:
            command = [sys.executable, "-c", _SERVER]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(program) + "\n")
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
