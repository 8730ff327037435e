"""How much a backend under check may use before it is stopped."""

from dataclasses import dataclass, replace

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one booted backend may use.

    Attributes:
        boot_seconds: Wall-clock time from the start of the process to the end of its start-up.
        request_seconds: Wall-clock time of one request.
        total_seconds: Wall-clock time of the process, all requests included.
        cpu_seconds: Processor time of one process.
        memory_mb: Resident memory of all its processes together.
        address_space_mb: Virtual memory of one process.
        processes: Number of processes at one time.
        threads: Number of its threads at one time, where the kernel counts them for it alone.
        open_files: Open files of one process.
        file_mb: Size of one file that it writes.
        disk_mb: Size of all that it writes, files in memory included.
        output_mb: What it may print on standard output and standard error together.
        requires_layers: Whether it runs only where the system grants every layer of the sandbox.
    """

    boot_seconds: float = 30.0
    request_seconds: float = 10.0
    total_seconds: float = 180.0
    cpu_seconds: int = 120
    memory_mb: int = 1024
    address_space_mb: int = 8192
    processes: int = 64
    threads: int = 256
    open_files: int = 512
    file_mb: int = 64
    disk_mb: int = 256
    output_mb: int = 16
    requires_layers: bool = False

    def extended(self, seconds: float) -> "Limits":
        """Return the same limits for a process that lives for so much longer."""
        return replace(
            self,
            total_seconds=self.total_seconds + seconds,
            cpu_seconds=self.cpu_seconds + int(seconds),
        )
