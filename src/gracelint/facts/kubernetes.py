"""What Kubernetes manifests say. Times are in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map

from gracelint.facts import yaml
from gracelint.record import Record
from gracelint.source import Located, Source, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.launch import Assumptions, Launch

DEFAULT_GRACE = 30.0
"""`terminationGracePeriodSeconds` where nobody sets it (Kubernetes API)."""


class Probe(Record):
    kind: str
    """httpGet, tcpSocket, grpc or exec; "" where none of them is set."""
    node: yaml.Mapping
    key: Span
    """The `readinessProbe:` key."""
    period: float = 10.0
    failure_threshold: int = 3
    initial_delay: float = 0.0

    @property
    def patience(self) -> float:
        """Seconds of failure until the probe acts."""
        return self.period * self.failure_threshold

    def checks_as(self, other: Probe) -> bool:
        """Whether both ask the container the same thing."""
        one, two = self.node.get(self.kind), other.node.get(other.kind)
        return self.kind == other.kind and one is not None and two is not None and yaml.alike(one, two)


class PreStop(Record):
    """A preStop hook. `handlers` are the keys set below it: exec, httpGet, sleep, tcpSocket."""

    handlers: tuple[str, ...]
    node: yaml.Mapping
    key: Span
    argv: tuple[Word, ...] = ()
    """The command of `exec`."""
    sleep: Located[float] | None = None
    """`sleep.seconds`."""


class Port(Record):
    number: int | None
    name: str | None
    span: Span
    protocol: str = "TCP"


class Container(Record, identity=True):
    name: str
    node: yaml.Mapping
    span: Span
    """The name's value, or the first key: where a finding about the container as a whole points."""
    role: str = "main"
    """main, init, or sidecar (an init container with `restartPolicy: Always`)."""
    image: Word | None = None
    command: tuple[Word, ...] | None = None
    args: tuple[Word, ...] | None = None
    working_dir: Word | None = None
    env: Map[str, Word | None] | None = None
    """Literal values; None where the value comes from elsewhere (`valueFrom`)."""
    ports: tuple[Port, ...] = ()
    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: Probe | None = None
    pre_stop: PreStop | None = None
    stop_signal: Word | None = None
    """`lifecycle.stopSignal`."""
    proxy: str | None = None
    """The row of the known proxies that it is, unless its flags make it wait for the program."""


class Service(Record, identity=True):
    name: str
    namespace: str
    selector: Map[str, str]
    ports: tuple[str, ...]
    """Each `targetPort` (else `port`), a number or a container port's name."""
    span: Span


class DisruptionBudget(Record, identity=True):
    name: str
    namespace: str
    selector: Map[str, str]
    span: Span
    min_available: Word | None = None
    max_unavailable: Word | None = None
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """`matchExpressions`: key, operator, values."""


class Claim(Record, identity=True):
    """A PersistentVolumeClaim."""

    name: str
    namespace: str
    access_modes: tuple[str, ...]
    span: Span


class Workload(Record, identity=True):
    """An object with a pod template. What other files say of it is in the fields below `services`."""

    source: Source
    kind: str
    name: str
    namespace: str
    span: Span
    """The value of `metadata.name`, or of `kind` where there is no name."""
    document: yaml.Document
    node: yaml.Mapping
    """The object."""
    pod: yaml.Mapping
    """The pod's `spec`."""
    labels: Map[str, str]
    """The pod template's labels."""
    annotations: Map[str, Word]
    """The object's annotations, overlaid with the pod template's."""
    containers: tuple[Container, ...]
    """Main containers, then init containers and sidecars, in file order."""
    grace: Located[float]
    """`terminationGracePeriodSeconds`, in seconds; NaN where it is given by something that cannot be read."""
    share_process_namespace: bool = False
    replicas: Located[int] | None = None
    """None where the object has no `replicas`."""
    strategy: yaml.Mapping | None = None
    """`spec.strategy` of a Deployment."""
    claims: tuple[Claim, ...] = ()
    """The claims its volumes name, where they are in the input."""
    runs_to_end: bool = False
    """Job, CronJob and the like: no traffic."""
    knative: bool = False
    services: tuple[Service, ...] = ()
    """Those whose selector matches the pod's labels in its namespace."""
    any_service: bool = False
    """Whether the input has any Service at all."""
    budgets: tuple[DisruptionBudget, ...] = ()
    assume: Assumptions | None = None
    launches: tuple[Launch, ...] = ()
    """One for each of `containers`, in the same order."""

    def launched(self) -> Iterator[tuple[Container, Launch]]:
        """Each container with its launch."""
        return zip(self.containers, self.launches, strict=False)

    def serving(self) -> Iterator[tuple[Container, Launch]]:
        """The containers that get requests, as far as the input says."""
        return ((container, launch) for container, launch in self.launched() if launch.gets_traffic)
