"""How bugs of gracelint itself are told."""

from __future__ import annotations

import os


def internal_error(doing: str, error: BaseException) -> str:
    """One line that says what broke and where, for the bug report."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace else ""
    return f"internal error while {doing}: {type(error).__name__}: {error}{where}"
