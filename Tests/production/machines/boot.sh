#!/usr/bin/env bash
# Becomes the first process of a throw-away machine: systemd, on a copy of this system that lives in memory. Called by
# Machine in namespaces of its own; whatever it mounts is gone with its end.
#
#   boot.sh FOLDER REPOSITORY PROGRAM DASHBOARD
set -euo pipefail

folder=$1 repository=$2 program=$3 dashboard=$4
root=$folder/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount --make-rprivate /
mkdir -p "$folder/memory" "$root"
mount -t tmpfs -o size=3g,mode=755 memory "$folder/memory"
mkdir "$folder"/memory/{upper,work}
mount -t overlay -o "lowerdir=/,upperdir=$folder/memory/upper,workdir=$folder/memory/work" overlay "$root"

# What the tests need of the outside, which need not be on the same disk as "/".
mkdir -p "$root/srv/plantops" "$root/srv/dashboard" "$root/srv/program"
mount --bind "$repository" "$root/srv/plantops"
mount -o remount,bind,ro "$root/srv/plantops"
mount --bind "$dashboard" "$root/srv/dashboard"
mount -o remount,bind,ro "$root/srv/dashboard"
install -m 755 "$program" "$root/srv/program/plantops"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root"/dev/{shm,pts}
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0 1 2; do
    name=(stdin stdout stderr)
    ln -s "/proc/self/fd/$number" "$root/dev/${name[number]}"
done
touch "$folder/console" "$root/dev/console"
mount --bind "$folder/console" "$root/dev/console"

# A machine as Debian's installer and packages leave it: nothing of PlantOps, PostgreSQL with an empty cluster,
# Mosquitto and nginx with the configuration they come with, all three started.
rm -rf "$root"/{etc,opt,var/lib,var/backups}/plantops "$root"/etc/systemd/system/{plantops*,*.wants} \
    "$root"/etc/postgresql/* "$root"/var/lib/postgresql/* "$root"/var/log/journal "$root"/usr/local/sbin/plantopsctl \
    "$root"/usr/sbin/policy-rc.d "$root"/etc/nginx/sites-enabled/* "$root"/etc/nginx/conf.d/* \
    "$root"/etc/mosquitto/conf.d/*.conf "$root"/var/log/nginx/*
ln -s /etc/nginx/sites-available/default "$root/etc/nginx/sites-enabled/default"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
for unit in postgresql mosquitto nginx; do
    ln -s "/lib/systemd/system/$unit.service" "$root/etc/systemd/system/multi-user.target.wants/"
done
for unit in getty.target systemd-logind.service systemd-udevd.service systemd-udev-trigger.service systemd-user-sessions.service \
    systemd-timesyncd.service systemd-networkd.service networking.service ssh.service cron.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

hostname box
echo box >"$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost\n127.0.0.1 box plants.example.test\n' >"$root/etc/hosts"
ip link set lo up
if ip link add lan type dummy 2>/dev/null; then ip addr add 192.0.2.10/24 dev lan && ip link set lan up; fi

cd "$root"
mkdir -p .old
pivot_root . .old
umount -l .old
rmdir .old
# As systemd itself does where it is not in a container; else a service never sees its credentials.
mount --make-rshared /
version=$(basename "$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 | sort -V | tail -n 1)")
pg_createcluster "$version" main >/dev/null
exec env -i container=plantops-test PATH="$PATH" /lib/systemd/systemd --unit=multi-user.target --log-level=warning \
    --log-target=console </dev/null
