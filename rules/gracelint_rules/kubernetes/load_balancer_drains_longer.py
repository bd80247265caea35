r"""A load balancer that keeps connections to a pod longer than the pod lives.

## What it does
Compares the time that a load balancer leaves open connections to a pod which it has let go (AWS:
`deregistration_delay.timeout_seconds` in the annotations of a Service or an Ingress; GKE: `drainingTimeoutSec` of a
BackendConfig) with the preStop hook and the drain of the pods behind it.

## Why is this bad?
A target that is being deregistered gets no new requests, so nothing is lost by itself. But responses that take as long
as the load balancer allows for are cut by the pod, which is gone by then: the two numbers should be chosen together.

## Example
```yaml bad path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: web
          image: ghcr.io/acme/shop:1.4.2
          readinessProbe:
            tcpSocket:
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-target-group-attributes: deregistration_delay.timeout_seconds=300
spec:
  type: LoadBalancer
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
```
Use instead:
```yaml good path=web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: web
          image: ghcr.io/acme/shop:1.4.2
          readinessProbe:
            tcpSocket:
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 15
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-target-group-attributes: deregistration_delay.timeout_seconds=20
spec:
  type: LoadBalancer
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
```

## References
- [AWS: deregistration
  delay](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html)
- [GKE: connection draining](https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration)
"""

from __future__ import annotations

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Launch, Note, Severity, Workload, rule


@rule("load-balancer-drains-longer", severity=Severity.INFO, subject=Workload, about=("balancers",))
def load_balancer_drains_longer(workload: Workload) -> Iterator[Finding]:
    lives = [_lives(launch) for _, launch in workload.serving()]
    known = [seconds for seconds in lives if seconds == seconds]
    if not known or len(known) < len(lives):
        return
    for balancer in workload.balancers:
        if balancer.seconds is not None and balancer.seconds.value > max(known):
            yield Finding(
                f"the load balancer keeps connections for {balancer.seconds.value:g} s ({balancer.what}), while pods of"
                f" `{workload.name}` end about {max(known):g} s after they are told to stop",
                at=balancer.span,
                notes=(Note(workload.grace.span or workload.span, "the pods behind it"),),
                fix=Fix("Choose the two together", (), Applicability.MANUAL),
            )


def _lives(launch: Launch) -> float:
    """The seconds from the deletion of a pod to its end, as far as the files say."""
    budget = launch.budget
    before = budget.pre_stop.value if budget.pre_stop is not None else 0.0
    if budget.drain is None:
        return before + launch.assume.drain
    return float("nan") if budget.drain.seconds is None else before + budget.drain.seconds
