"""What the repository builds: the names that build files, scripts and pipelines give to images."""

from __future__ import annotations

GRADLE_FILES = ("build.gradle", "build.gradle.kts")
JVM_FILES = ("pom.xml", *GRADLE_FILES)
"""What says how a project of Maven or Gradle is built."""
GO_MODULE = "go.mod"


def is_build_file(path: str) -> bool:
    """Whether images can be made of what a file describes, without a Dockerfile."""
    return is_jvm_file(path) or path[path.rfind("/") + 1 :] == GO_MODULE


def is_jvm_file(path: str) -> bool:
    return path.endswith(JVM_FILES) and path[path.rfind("/") + 1 :] in JVM_FILES
