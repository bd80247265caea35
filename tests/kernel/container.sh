#!/bin/sh
# usage: container.sh FOLDER TOOLS LAYER PROJECT COMMAND [WORDS…], as PID 1 of fresh namespaces
# Lays LAYER over TOOLS' packages over the machine's /usr and /etc, puts PROJECT into /app, and becomes COMMAND there.
# Everything the container writes goes with it.
set -eu
root=$1/root tools=$2 layer=$3 project=$4
shift 4

lay() {
  mkdir -p "${root%/root}/changes/$1" "${root%/root}/workdir/$1" "$root/$1"
  mount -t overlay overlay -o "lowerdir=$2,upperdir=${root%/root}/changes/$1,workdir=${root%/root}/workdir/$1" "$root/$1"
}

mount -t tmpfs tmpfs "${root%/root}"
mkdir -p "$root/proc" "$root/dev" "$root/root" "$root/home" "$root/tmp" "$root/run"
for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
lay usr "$layer/usr:$tools/debian/usr:/usr"
lay etc "$tools/debian/etc:/etc"
lay var "$tools/debian/var"
mkdir -p "$root/run/lock"
ln -sfn /run "$root/var/run"
ln -sfn /run/lock "$root/var/lock"
mkdir -p "$root$tools"
mount --bind "$tools" "$root$tools"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t proc proc "$root/proc"
cp -R "$project" "$root/app"
chmod -R a+rwX "$root/app" "$root/run"
chmod 1777 "$root/tmp"
chroot "$root" busybox ip link set lo up
hostname container
unset PWD OLDPWD
# A session leader, as a container runtime starts it; setsid forks only where it leads a process group already.
# Signals are not ignored there, though a job in the background of a script has its SIGINT ignored.
exec env --default-signal setsid unshare --root="$root" --wd=/app "$@"
