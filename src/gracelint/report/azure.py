"""Which build of Azure Pipelines a run belongs to: GitHub Advanced Security for Azure DevOps takes SARIF with it alone.

The identity is that of Microsoft's own SARIF SDK (GHAzDO1019 and GHAzDO1020 of its validator), from the variables that
an agent sets (https://learn.microsoft.com/azure/devops/pipelines/build/variables).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PREFIX = "azuredevops/pipeline/build/"
_VARIABLES = {
    "project": ("SYSTEM_TEAMPROJECTID",),
    "buildDefinitionId": ("BUILD_DEFINITIONID", "SYSTEM_DEFINITIONID"),
    "buildDefinitionName": ("BUILD_DEFINITIONNAME",),
    "phaseId": ("SYSTEM_PHASEID", "SYSTEM_JOBID"),
    "phaseName": ("SYSTEM_PHASENAME", "SYSTEM_JOBNAME"),
    "branch": ("BUILD_SOURCEBRANCH",),
    "build": ("BUILD_BUILDID",),
}


def pipeline(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """The `automationDetails` of a SARIF run, or None outside of Azure Pipelines and where a part of it is not said."""
    if environment.get("TF_BUILD", "").lower() not in ("true", "1"):
        return None
    said = {
        name: next(filter(None, (environment.get(variable, "").strip() for variable in variables)), "")
        for name, variables in _VARIABLES.items()
    }
    organization = _organization(environment.get("SYSTEM_COLLECTIONURI", ""))
    if organization is None or not all(said.values()):
        return None
    branch = said["branch"] if said["branch"].startswith("refs/") else f"refs/heads/{said['branch']}"
    parts = (organization, said["project"], said["buildDefinitionId"], said["phaseId"], branch, said["build"])
    return {
        "id": _PREFIX + "/".join(parts),
        "properties": {
            f"{_PREFIX}{name}": said[name]
            for name in ("buildDefinitionId", "buildDefinitionName", "phaseId", "phaseName")
        },
    }


def _organization(address: str) -> str | None:
    """`https://dev.azure.com/NAME/` or `https://NAME.visualstudio.com/`; None on a server of one's own."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if host in ("dev.azure.com", "vsrm.dev.azure.com"):
        return parts.path.strip("/").partition("/")[0] or None
    if host.endswith(".visualstudio.com"):
        return host.partition(".")[0]
    return None
