"""Makes trees to measure on: `python benchmarks/generate.py FOLDER --dockerfiles 1000 --manifests 20000`.

The same arguments always make the same tree. One manifest in ten holds a workload, the others are of kinds that a
cluster has most of (ConfigMap, Service, Role, CustomResourceDefinition).
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

BASES = ("python:3.12-slim", "node:22-bookworm-slim", "node:22-alpine", "debian:12", "nginx:1.27", "golang:1.23")
COMMANDS = (
    'CMD ["python", "app.py"]',
    "CMD python app.py",
    'CMD ["npm", "start"]',
    "CMD exec node server.js",
    'ENTRYPOINT ["tini", "--"]\nCMD ["gunicorn", "app:app"]',
    'CMD ["sh", "-c", "migrate && uvicorn app:app"]',
)
DOCKERFILE = """\
FROM {base} AS build
WORKDIR /app
COPY . .
RUN make dependencies \\
    && make build \\
    && rm -rf /var/cache

FROM {base}
ENV APP_ENV=production \\
    PORT=8080
WORKDIR /app
COPY --from=build /app /app
RUN useradd --system app
USER app
EXPOSE 8080
{command}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{number}
  labels: {{app: app-{number}}}
spec:
  replicas: 3
  selector:
    matchLabels: {{app: app-{number}}}
  template:
    metadata:
      labels: {{app: app-{number}}}
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - name: app
          image: registry.example.com/team/app-{number}:1.{number}
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: {{path: /ready, port: 8080}}
          lifecycle:
            preStop:
              exec:
                command: ["sleep", "15"]
"""
OTHERS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\ndata:\n{lines}",
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{number}\nspec:\n"
    "  selector: {{app: app-{number}}}\n  ports:\n    - port: 80\n      targetPort: 8080\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: role-{number}\nrules:\n{rules}",
    "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: widget-{number}\nspec:\n{lines}",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dockerfiles", type=int, default=1000)
    parser.add_argument("--manifests", type=int, default=20000)
    options = parser.parse_args()
    dice = random.Random(1)
    for number in range(options.dockerfiles):
        text = DOCKERFILE.format(base=dice.choice(BASES), command=dice.choice(COMMANDS))
        write(options.folder / f"services/{number % 50}/app-{number}/Dockerfile", text)
    for number in range(options.manifests):
        text = DEPLOYMENT.format(number=number) if number % 10 == 0 else other(dice, number)
        write(options.folder / f"manifests/{number % 100}/{number}.yaml", text)
    write(options.folder / "settings/application.yaml", "logging:\n  level: info\nserver:\n  port: 8080\n")


def other(dice: random.Random, number: int) -> str:
    lines = "".join(f"  key-{line}: value of {line} in {number}\n" for line in range(dice.randint(10, 60)))
    rules = "".join(f'  - apiGroups: [""]\n    resources: [pods-{rule}]\n    verbs: [get]\n' for rule in range(20))
    return dice.choice(OTHERS).format(number=number, lines=lines, rules=rules)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
