"""Real hosts on this machine: each boots a Debian of its own with its own systemd, sshd and network address.

    with Fleet() as fleet:
        host = fleet.add("api1", "198.18.77.11", (bare_root(),))
        host.run("systemctl is-system-running")
        host.cut_power()

The hosts live in systemd-nspawn, on a bridge that leads nowhere else. 198.18.0.0/15 is reserved for tests of networks.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

from tests.fleet.roots import CACHE, mount, quietly, unmount

NETWORK = "198.18.77.0/24"
CONTROLLER = "198.18.77.1"
BRIDGE = "br-dash"
# A browser gives up what it loads when the network of its machine changes, and this machine's changes with each host
# that starts again: so it has a network of its own, as a person's machine has.
VISITOR, VISITOR_LINK, VISITOR_ADDRESS = "dashify-visitor", "vb-visitor", "198.18.77.2"
TABLE = "dashify_fleet"
HOSTS = CACHE / "hosts"
BOOT_SECONDS = 60.0
# Nor do hosts of their own wait for each other's disk: while four unpack a release, a database on the same one waits
# seconds for each commit. Where there is memory enough their disks are in it.
DISKS_GIB, MEMORY_GIB = 10, 16
# Without systemd on the outside nspawn would put every host into one and the same control group.
_GROUPS = [group for group in map(Path, ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"))
           if (group / "cgroup.procs").exists()]
# Hosts of their own do not take each other's processor. Where the machine has control groups of the first kind, each
# gets a share of this one's, and so do the controller and what stands for people. All hosts weigh no more than two
# threads of the kernel: those, with 1024 each, hand out packets and end RCU's grace periods, and whoever opens one file
# more than its table holds waits for one: up to a second was measured where they weighed thirty times such a thread.
_CPU = Path("/sys/fs/cgroup/cpu")
_ALL_HOSTS, _ONE_HOST = 2 * 1024, 64
# Hosts of their own would not wait for one another's processor. Where this machine's is full, what is on a message's
# way comes before what people do not wait for: programs that start on a host of workers, the browser, and Ansible.
_POWER = {"api": 20, "data": 20, "lb": 8}
_USUAL_POWER = 3


class Host:
    """One host. What it wrote to its disk stays over a power cut, until the fleet is closed."""

    def __init__(self, fleet: Fleet, name: str, address: str, binds: Iterable[tuple[Path, str]]) -> None:
        self.name, self.address = name, address
        self.power = _POWER.get(name.rstrip("0123456789"), _USUAL_POWER)
        self.folder = HOSTS / name
        self.root = self.folder / "root"
        self._fleet, self._binds = fleet, tuple(binds)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def on(self) -> bool:
        """Tell whether it has power."""
        return bool(_processes_of(self.folder))

    def boot(self) -> None:
        """Switch it on; `wait` says when it can be used."""
        # The kernel takes its time to remove the cable of a host that lost power, and its name is wanted again.
        with suppress(subprocess.CalledProcessError):
            quietly("ip", "link", "delete", f"vb-{self.name}")
        joins = "; ".join([with_share(f"dashify-fleet/{self.name}", self.power * _ONE_HOST),
                           *(_joining(group / "dashify-fleet" / self.name) for group in _GROUPS)])
        command = ["systemd-nspawn", "-q", "-D", str(self.root), "--boot", f"--machine={self.name}", "--register=no",
                   "--keep-unit", f"--network-bridge={BRIDGE}", "--resolv-conf=off", "--console=passive",
                   *(f"--bind-ro={outside}:{inside}" for outside, inside in self._binds)]
        with (self.folder / "console.log").open("ab") as log:
            # nspawn ends with 133 where the host wants a reboot, and leaves that to whoever started it.
            again = f"while :; do {shlex.join(command)}; code=$?; [ $code = 133 ] || exit $code; done"
            self._process = subprocess.Popen(["sh", "-c", f"{joins}; {again}"], stdout=log,
                                             stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def wait(self, seconds: float = BOOT_SECONDS) -> None:
        """Wait until it takes commands."""
        deadline = time.monotonic() + seconds
        while self.try_run("true").returncode:
            assert time.monotonic() < deadline, f"{self.name} did not boot within {seconds} s"
            assert self._process is not None, f"{self.name} is switched off"
            assert self._process.poll() is None, (self.folder / "console.log").read_text()[-2000:]
            time.sleep(0.3)

    def run(self, command: str, *, stdin: str = "", timeout: float = 120) -> str:
        """Run a line of shell on it as root, which must succeed; give what it printed."""
        done = self.try_run(command, stdin=stdin, timeout=timeout)
        said = done.stdout[-2000:] + done.stderr[-2000:]
        assert done.returncode == 0, f"{self.name}: {command}: {done.returncode}\n{said}"
        return done.stdout

    def try_run(self, command: str, *, stdin: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a line of shell on it as root and give how it went."""
        return subprocess.run(["ssh", *self._fleet.ssh_options, f"root@{self.address}", command], input=stdin,
                              text=True, capture_output=True, timeout=timeout)

    def write(self, path: str, text: str) -> None:
        """Write a file to its disk, whether it runs or not."""
        inside = self.root / path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(text)

    def unplug(self) -> None:
        """Pull its network cable: not even a farewell leaves."""
        quietly("ip", "link", "set", f"vb-{self.name}", "down")

    def plug(self) -> None:
        """Put the cable back."""
        quietly("ip", "link", "set", f"vb-{self.name}", "up")

    def cut_power(self) -> None:
        """Take its power away: nobody on it is asked, and nobody elsewhere is told."""
        with suppress(subprocess.CalledProcessError):
            self.unplug()
        end(self.folder, self._process)
        self._process = None


class Fleet:
    """The hosts, their network and the key to them. One at a time on a machine; what a crashed one left goes."""

    def __init__(self) -> None:
        HOSTS.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(CACHE, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AssertionError("Another run of the fleet's tests has its hosts up on this machine.") from None
        self.hosts: dict[str, Host] = {}
        self.key = CACHE / "key"
        self._known = CACHE / "known_hosts"

    def __enter__(self) -> Fleet:
        self._clear()
        if _free_gib() >= MEMORY_GIB:
            quietly("mount", "-t", "tmpfs", "-o", f"size={DISKS_GIB}g", "dashify-fleet", HOSTS)
        quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dashify-fleet", "-f", self.key)
        quietly("ip", "link", "add", BRIDGE, "type", "bridge")
        quietly("ip", "address", "add", f"{CONTROLLER}/24", "dev", BRIDGE)
        quietly("ip", "link", "set", BRIDGE, "up")
        quietly("ip", "netns", "add", VISITOR)
        quietly("ip", "link", "add", VISITOR_LINK, "master", BRIDGE, "up", "type", "veth",
                "peer", "name", "eth0", "netns", VISITOR)
        quietly("ip", "-n", VISITOR, "address", "add", f"{VISITOR_ADDRESS}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            quietly("ip", "-n", VISITOR, "link", "set", link, "up")
        quietly("nft", f"add table bridge {TABLE}; add chain bridge {TABLE} cuts "
                       "{ type filter hook forward priority 0; policy accept; }")
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            host.cut_power()
        self._clear()
        os.close(self._lock)

    @property
    def ssh_options(self) -> list[str]:
        """What ssh must be told to enter any host."""
        options = {"IdentityFile": self.key, "UserKnownHostsFile": self._known, "StrictHostKeyChecking": "yes",
                   "BatchMode": "yes", "ConnectTimeout": 5, "ServerAliveInterval": 5, "ServerAliveCountMax": 6,
                   "IdentitiesOnly": "yes", "LogLevel": "ERROR"}
        return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]

    def add(self, name: str, address: str, layers: tuple[Path, ...],
            binds: Iterable[tuple[Path, str]] = ()) -> Host:
        """Make a host on `layers` and boot it; `binds` are folders of ours that it sees and cannot write."""
        host = self.hosts[name] = Host(self, name, address, binds)
        mount(host.folder, layers)
        host.write("/etc/hostname", f"{name}\n")
        host.write("/etc/machine-id", f"{secrets.token_hex(16)}\n")
        host.write("/etc/hosts", f"127.0.0.1 localhost\n{address} {name}\n")
        host.write("/root/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text())
        host.write("/etc/systemd/network/10-host.network",
                   f"[Match]\nName=host0\n[Network]\nAddress={address}/24\nGateway={CONTROLLER}\n")
        wants = host.root / "etc/systemd/system/multi-user.target.wants"
        (wants / "systemd-networkd.service").symlink_to("/lib/systemd/system/systemd-networkd.service")
        kind, key, *_ = (host.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        self._known.open("a").write(f"{address} {kind} {key}\n")
        host.boot()
        return host

    def remove(self, host: Host) -> None:
        """Take a host away for good, with its disk."""
        host.cut_power()
        unmount(host.folder)
        del self.hosts[host.name]

    def cut(self, one: Host, *others: Host) -> None:
        """Lose every packet between `one` and `others`, both ways, without anybody being told."""
        for other in others:
            for source, target in ((one, other), (other, one)):
                quietly("nft", f"add rule bridge {TABLE} cuts ip saddr {source.address} ip daddr {target.address} drop")

    def heal(self) -> None:
        """Let all packets through again."""
        quietly("nft", f"flush chain bridge {TABLE} cuts")

    def _clear(self) -> None:
        """Take away what is ours: hosts, disks, bridge, rules and key; of a run that crashed, too."""
        for folder in sorted(HOSTS.iterdir()):
            end(folder)
            unmount(folder)
        if HOSTS.is_mount():
            quietly("umount", "--lazy", HOSTS)
        for command in (("ip", "netns", "delete", VISITOR), ("ip", "link", "delete", VISITOR_LINK),
                        ("ip", "link", "delete", BRIDGE), ("nft", "delete", "table", "bridge", TABLE)):
            with suppress(subprocess.CalledProcessError):
                quietly(*command)
        for group in (*_GROUPS, _CPU):
            for folder in sorted(group.glob("dashify-fleet*/**/"), reverse=True):
                with suppress(OSError):
                    folder.rmdir()
        for path in (self.key, self.key.with_suffix(".pub"), self._known):
            path.unlink(missing_ok=True)


def with_share(group: str, shares: int) -> str:
    """Give the shell's line that puts a process into a group with so many shares of the processor."""
    if not (_CPU / "cpu.shares").exists():
        return "true"
    folder = _CPU / group
    joins = _joining(folder)
    (folder / "cpu.shares").write_text(str(shares))
    if folder.parent != _CPU:
        (folder.parent / "cpu.shares").write_text(str(_ALL_HOSTS))
    return joins


def _joining(group: Path) -> str:
    """Give the shell's line that puts it into a control group, which is made."""
    group.mkdir(parents=True, exist_ok=True)
    return f"echo $$ > {group}/cgroup.procs"


def elsewhere(name: str, power: float, command: list[str]) -> list[str]:
    """Give a command that runs as if on machines of its own, with as much of this one's processor as so many hosts."""
    return ["sh", "-c", f"{with_share(f'dashify-fleet-{name}', int(power * _ONE_HOST))}; exec {shlex.join(command)}"]


def on_a_visitors_network(command: list[str]) -> list[str]:
    """Give a command that runs on a network of its own, which hosts that come and go do not change."""
    return ["nsenter", f"--net=/run/netns/{VISITOR}", *command]


def _free_gib() -> int:
    """Give the memory that this machine could hand out now, in GiB."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) >> 20


def is_ours(address: str) -> bool:
    """Tell whether an address is one of these hosts'."""
    try:
        return ip_address(address) in ip_network(NETWORK)
    except ValueError:
        return False


def end(folder: Path, nspawn: subprocess.Popen[bytes] | None = None) -> None:
    """End the host of `folder` at once, if it runs. Killing nspawn alone would leave all that runs in it alive."""
    deadline = time.monotonic() + 10
    while pids := _processes_of(folder):
        assert time.monotonic() < deadline, f"the host in {folder} does not die"
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        if nspawn:
            nspawn.poll()


def _processes_of(folder: Path) -> list[int]:
    """Find what runs in this host's control groups, where nothing else can be."""
    found: list[int] = []
    for group in _GROUPS:
        for members in (group / "dashify-fleet" / folder.name).rglob("cgroup.procs"):
            with suppress(OSError):
                found += [int(line) for line in members.read_text().split()]
    return sorted(set(found))
