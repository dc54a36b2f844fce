/**
 * The directives of systemd units that have an option of their own, section by
 * section, as systemd 257 documents them in systemd.unit(5), systemd.exec(5),
 * systemd.service(5) and their siblings. Names are systemd's. A directive that
 * is missing here can be written in a unit's `extraConfig`.
 *
 * Longer than other files because it is a table: one line, one directive.
 */
import { mkOption, types } from "#lib/evaluator/index.ts";

const text = (description: string) =>
  mkOption({ type: types.nullOr(types.singleLineStr), default: null, description });
const lines = (description: string) =>
  mkOption({
    type: types.nullOr(types.either(types.singleLineStr, types.listOf(types.singleLineStr))),
    default: null,
    description,
  });
const flag = (description: string) => mkOption({ type: types.nullOr(types.bool), default: null, description });
const whole = (description: string) => mkOption({ type: types.nullOr(types.int), default: null, description });
const span = (description: string) =>
  mkOption({ type: types.nullOr(types.either(types.int, types.singleLineStr)), default: null, description });
const choice = <const Values extends readonly string[]>(values: Values, description: string) =>
  mkOption({ type: types.nullOr(types.enum(values)), default: null, description });
const flagOr = <const Values extends readonly string[]>(values: Values, description: string) =>
  mkOption({ type: types.nullOr(types.either(types.bool, types.enum(values))), default: null, description });

/** [Unit] of every kind of unit. */
export const unitDirectives = {
  Description: text("What the unit is, in a few words for people."),
  Documentation: lines("URIs that document the unit (man:, https:, file:)."),
  Wants: lines("Units started along with this one; their failure does not matter."),
  Requires: lines("Units started along with this one; if one of them is stopped, so is this."),
  Requisite: lines("Units that must already be active, else starting this one fails at once."),
  BindsTo: lines("Like Requires, and this unit stops when one of them goes away by itself."),
  PartOf: lines("Stopping or restarting one of these does the same to this unit."),
  Upholds: lines("Units kept running as long as this one runs."),
  Conflicts: lines("Units that are stopped when this one starts, and the other way round."),
  Before: lines("Units that start only after this one has started."),
  After: lines("Units that this one waits for."),
  OnFailure: lines("Units started when this one fails."),
  OnSuccess: lines("Units started when this one ends without failure."),
  PropagatesReloadTo: lines("Units reloaded along with this one."),
  JoinsNamespaceOf: lines("Units whose private /tmp and network this one shares."),
  RequiresMountsFor: lines("Paths whose mounts are required and waited for."),
  WantsMountsFor: lines("Paths whose mounts are wanted and waited for."),
  DefaultDependencies: flag("Whether the usual dependencies on basic.target and shutdown.target are added."),
  StopWhenUnneeded: flag("Stops the unit when nothing active needs it any more."),
  RefuseManualStart: flag("Refuses to be started by a person."),
  RefuseManualStop: flag("Refuses to be stopped by a person."),
  AllowIsolate: flag("Whether `systemctl isolate` may be used on the unit."),
  IgnoreOnIsolate: flag("Keeps the unit running when another one is isolated."),
  CollectMode: choice(["inactive", "inactive-or-failed"], "When an unused unit is unloaded."),
  StartLimitIntervalSec: span("Window in which starts are counted against StartLimitBurst."),
  StartLimitBurst: whole("How many starts are allowed within StartLimitIntervalSec."),
  StartLimitAction: text("What happens when the start limit is hit, such as `reboot`."),
  FailureAction: text("What happens to the whole system when the unit fails, such as `reboot`."),
  SuccessAction: text("What happens to the whole system when the unit ends without failure."),
  JobTimeoutSec: span("How long the unit's start or stop job may take."),
  ConditionPathExists: lines("Skips the unit unless the path exists (`!` in front negates)."),
  ConditionPathExistsGlob: lines("Skips the unit unless a path matches the pattern."),
  ConditionPathIsDirectory: lines("Skips the unit unless the path is a directory."),
  ConditionPathIsMountPoint: lines("Skips the unit unless the path is a mount point."),
  ConditionPathIsReadWrite: lines("Skips the unit unless the path is on a writable file system."),
  ConditionDirectoryNotEmpty: lines("Skips the unit unless the directory has entries."),
  ConditionFileNotEmpty: lines("Skips the unit unless the file has content."),
  ConditionFirstBoot: flag("Skips the unit unless this is the system's first boot, or is not."),
  ConditionKernelCommandLine: lines("Skips the unit unless the word is on the kernel command line."),
  ConditionVirtualization: lines("Skips the unit unless the system is virtualised in this way."),
  ConditionArchitecture: lines("Skips the unit unless the machine has this architecture."),
  ConditionNeedsUpdate: lines("Skips the unit unless the directory is to be updated after an update of /usr."),
  AssertPathExists: lines("Fails the unit unless the path exists."),
  AssertPathIsMountPoint: lines("Fails the unit unless the path is a mount point."),
};

/** What services, sockets and mounts share: the environment in which processes run. */
export const execDirectives = {
  User: text("User that the processes run as."),
  Group: text("Group that the processes run as."),
  DynamicUser: flag("Allocates a user for as long as the unit runs."),
  SupplementaryGroups: lines("Further groups of the processes."),
  WorkingDirectory: text("Directory that the processes start in (`~` is the user's home)."),
  RootDirectory: text("Directory that the processes see as their root."),
  Environment: lines("Assignments `NAME=value` for the processes; see also the unit's `environment`."),
  EnvironmentFile: lines("Files with assignments (`-` in front: may be missing)."),
  PassEnvironment: lines("Variables of the manager that are passed on."),
  UnsetEnvironment: lines("Variables that are taken away again."),
  UMask: text("File mode mask, in octal."),
  Nice: whole("Scheduling priority, -20 (most) to 19 (least)."),
  CPUSchedulingPolicy: choice(["other", "batch", "idle", "fifo", "rr"], "CPU scheduling policy."),
  CPUSchedulingPriority: whole("Real-time priority, 1 to 99."),
  CPUAffinity: lines("Processors that the processes may run on."),
  IOSchedulingClass: choice(["realtime", "best-effort", "idle"], "Class of disk accesses."),
  OOMScoreAdjust: whole("How likely the processes are killed when memory runs out, -1000 to 1000."),
  LimitNOFILE: span("Limit of open files, as `soft:hard` or one number."),
  LimitNPROC: span("Limit of processes."),
  LimitCORE: span("Limit of core dumps, in bytes."),
  LimitMEMLOCK: span("Limit of locked memory, in bytes."),
  StateDirectory: lines("Directories below /var/lib, made and owned for the unit."),
  StateDirectoryMode: text("Mode of the state directories, in octal."),
  CacheDirectory: lines("Directories below /var/cache, made and owned for the unit."),
  LogsDirectory: lines("Directories below /var/log, made and owned for the unit."),
  RuntimeDirectory: lines("Directories below /run, made for the unit and removed with it."),
  RuntimeDirectoryMode: text("Mode of the runtime directories, in octal."),
  RuntimeDirectoryPreserve: flagOr(["restart"], "Whether runtime directories outlive the unit."),
  ConfigurationDirectory: lines("Directories below /etc, made for the unit."),
  StandardInput: text("Where standard input comes from (`null`, `tty`, `socket` …)."),
  StandardOutput: text("Where standard output goes (`journal`, `null`, `tty`, `append:/path` …)."),
  StandardError: text("Where standard error goes."),
  TTYPath: text("Terminal used when a standard stream is `tty`."),
  TTYReset: flag("Resets the terminal before and after."),
  SyslogIdentifier: text("Name under which output is logged."),
  LogRateLimitIntervalSec: span("Window of the unit's log rate limit."),
  LogRateLimitBurst: whole("Messages allowed within the window."),
  CapabilityBoundingSet: lines("Capabilities that the processes can ever have."),
  AmbientCapabilities: lines("Capabilities given to a process that is not root."),
  NoNewPrivileges: flag("Processes can never gain privileges by running a program."),
  SecureBits: lines("Security bits of the processes."),
  PrivateTmp: flagOr(["disconnected"], "Gives the unit a /tmp and /var/tmp of its own."),
  PrivateDevices: flag("Shows only harmless devices in /dev."),
  PrivateNetwork: flag("Gives the unit a network of its own, with only a loopback."),
  PrivateUsers: flagOr(["self", "identity"], "Runs the unit in a user namespace."),
  PrivateMounts: flag("Keeps the unit's mounts to itself."),
  ProtectSystem: flagOr(["full", "strict"], "Makes parts of the file system read-only."),
  ProtectHome: flagOr(["read-only", "tmpfs"], "Hides the homes of users or makes them read-only."),
  ProtectKernelTunables: flag("Makes /proc/sys and /sys read-only."),
  ProtectKernelModules: flag("Forbids loading of kernel modules."),
  ProtectKernelLogs: flag("Hides the kernel's log."),
  ProtectControlGroups: flagOr(["private", "strict"], "Makes the control groups read-only."),
  ProtectClock: flag("Forbids setting the clock."),
  ProtectHostname: flag("Forbids changing the host name."),
  ProtectProc: choice(["noaccess", "invisible", "ptraceable", "default"], "Which processes /proc shows."),
  ReadWritePaths: lines("Paths that stay writable."),
  ReadOnlyPaths: lines("Paths made read-only."),
  InaccessiblePaths: lines("Paths made inaccessible."),
  BindPaths: lines("Paths mounted into the unit's view, writable."),
  BindReadOnlyPaths: lines("Paths mounted into the unit's view, read-only."),
  RestrictAddressFamilies: lines("Socket families that may be used (AF_UNIX, AF_INET …)."),
  RestrictNamespaces: flag("Forbids making namespaces."),
  RestrictRealtime: flag("Forbids real-time scheduling."),
  RestrictSUIDSGID: flag("Forbids making set-user-ID files."),
  LockPersonality: flag("Forbids changing the execution domain."),
  MemoryDenyWriteExecute: flag("Forbids memory that is both writable and executable."),
  SystemCallFilter: lines("System calls or groups of them that are allowed (`~` in front: forbidden)."),
  SystemCallArchitectures: lines("Architectures whose system calls are allowed."),
  LoadCredential: lines("Credentials read from a file: `NAME:/path`."),
  ImportCredential: lines("Credentials passed on from the system, by pattern."),
  KeyringMode: choice(["inherit", "private", "shared"], "Which kernel keyring the processes have."),
};

/** How processes of a unit are killed. */
export const killDirectives = {
  KillMode: choice(["control-group", "mixed", "process", "none"], "Which processes are killed on stop."),
  KillSignal: text("Signal that asks to stop."),
  SendSIGKILL: flag("Whether SIGKILL follows when the time is up."),
  FinalKillSignal: text("Signal that ends what is left."),
};

/** Limits by control group. */
export const resourceDirectives = {
  Slice: text("Slice that the unit is placed in."),
  CPUWeight: span("Share of processor time, 1 to 10000."),
  CPUQuota: text("Most processor time, such as `20%`."),
  MemoryMin: span("Memory that is never reclaimed."),
  MemoryLow: span("Memory that is reclaimed only when nothing else can be."),
  MemoryHigh: span("Memory above which the unit is slowed down."),
  MemoryMax: span("Memory above which the unit is killed."),
  TasksMax: span("Most processes and threads."),
  IOWeight: span("Share of disk accesses, 1 to 10000."),
  Delegate: flag("Hands the control group to the unit."),
  DevicePolicy: choice(["auto", "closed", "strict"], "Which devices may be used at all."),
  DeviceAllow: lines("Devices that may be used, with `rwm`."),
  IPAddressDeny: lines("Networks that packets are refused from and to."),
  IPAddressAllow: lines("Networks that are allowed all the same."),
};

/** [Service] without what other sections share. */
export const serviceDirectives = {
  Type: choice(
    ["simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"],
    "When the service counts as started.",
  ),
  ExitType: choice(["main", "cgroup"], "When the service counts as ended."),
  RemainAfterExit: flag("Stays active after its process has ended."),
  PIDFile: text("File with the main process's number."),
  BusName: text("Bus name of a service of type dbus."),
  ExecCondition: lines("Commands that decide whether the service is started."),
  ExecStartPre: lines("Commands that run before ExecStart."),
  ExecStart: lines("The command; several only for type oneshot."),
  ExecStartPost: lines("Commands that run after the service has started."),
  ExecReload: lines("Commands that make it read its configuration again."),
  ExecStop: lines("Commands that stop it."),
  ExecStopPost: lines("Commands that run after it has stopped, however it did."),
  Restart: choice(
    ["no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"],
    "When it is started again by itself.",
  ),
  RestartSec: span("Pause before it is started again."),
  RestartSteps: whole("Steps in which the pause grows."),
  RestartMaxDelaySec: span("Longest pause that it grows to."),
  TimeoutStartSec: span("How long starting may take."),
  TimeoutStopSec: span("How long stopping may take."),
  TimeoutSec: span("Both limits at once."),
  RuntimeMaxSec: span("How long it may run."),
  WatchdogSec: span("How often it must report that it is alive."),
  SuccessExitStatus: lines("Further exit codes and signals that count as success."),
  RestartPreventExitStatus: lines("Exit codes and signals after which it is not started again."),
  NonBlocking: flag("Passes sockets without blocking."),
  NotifyAccess: choice(["none", "main", "exec", "all"], "Who may send status notifications."),
  Sockets: lines("Socket units whose sockets are passed."),
  FileDescriptorStoreMax: whole("How many descriptors the manager keeps for it."),
  OOMPolicy: choice(["continue", "stop", "kill"], "What happens when a process of it is killed for memory."),
  GuessMainPID: flag("Whether the main process of a forking service is guessed."),
};

/** [Socket]. */
export const socketDirectives = {
  ListenStream: lines("Stream sockets: a path, a port, or address and port."),
  ListenDatagram: lines("Datagram sockets."),
  ListenSequentialPacket: lines("Sequential packet sockets."),
  ListenFIFO: lines("FIFOs."),
  ListenSpecial: lines("Special files."),
  ListenNetlink: lines("Netlink families."),
  BindIPv6Only: choice(["default", "both", "ipv6-only"], "Whether IPv6 sockets take IPv4 too."),
  BindToDevice: text("Network interface to bind to."),
  Backlog: whole("Connections that may wait."),
  SocketUser: text("Owner of the socket file."),
  SocketGroup: text("Group of the socket file."),
  SocketMode: text("Mode of the socket file, in octal."),
  DirectoryMode: text("Mode of directories made for the socket file."),
  Accept: flag("Starts one instance of the service for each connection."),
  MaxConnections: whole("Most connections at a time with Accept."),
  KeepAlive: flag("Sends TCP keep-alive messages."),
  NoDelay: flag("Sends small TCP packets at once."),
  FreeBind: flag("Binds even to addresses that the machine does not have yet."),
  ReusePort: flag("Lets several sockets share the port."),
  PassCredentials: flag("Receives the sender's credentials."),
  PassSecurity: flag("Receives the sender's security context."),
  Service: text("Service started by traffic; the one of the same name by default."),
  RemoveOnStop: flag("Removes the socket file on stop."),
  Symlinks: lines("Symbolic links to the socket file."),
  FileDescriptorName: text("Name under which the socket is passed."),
  TriggerLimitIntervalSec: span("Window of the activation limit."),
  TriggerLimitBurst: whole("Activations allowed within the window."),
  ExecStartPre: lines("Commands that run before the socket is made."),
  ExecStartPost: lines("Commands that run after it was made."),
};

/** [Mount]. */
export const mountDirectives = {
  What: text("Device, label or source; see fstab(5)."),
  Where: text("Mount point; must agree with the unit's name."),
  Type: text("File system type."),
  Options: text("Mount options, separated by commas."),
  SloppyOptions: flag("Ignores unknown options."),
  LazyUnmount: flag("Unmounts as soon as the file system is no longer busy."),
  ForceUnmount: flag("Unmounts by force."),
  DirectoryMode: text("Mode of a mount point that is made."),
  TimeoutSec: span("How long mounting may take."),
};

/** [Timer]. */
export const timerDirectives = {
  OnActiveSec: lines("Time after the timer itself was started."),
  OnBootSec: lines("Time after boot."),
  OnStartupSec: lines("Time after the manager was started."),
  OnUnitActiveSec: lines("Time after the unit was last started."),
  OnUnitInactiveSec: lines("Time after the unit last ended."),
  OnCalendar: lines("Calendar events, see systemd.time(7)."),
  AccuracySec: span("How far an event may be shifted."),
  RandomizedDelaySec: span("Random delay added to each event."),
  FixedRandomDelay: flag("Keeps the random delay the same each time."),
  Persistent: flag("Makes up for events missed while powered off."),
  WakeSystem: flag("Wakes the machine for an event."),
  RemainAfterElapse: flag("Stays loaded after the last event."),
  Unit: text("Unit to start; the service of the same name by default."),
};

/** [Path]. */
export const pathDirectives = {
  PathExists: lines("Starts the unit when the path exists."),
  PathExistsGlob: lines("Starts the unit when a path matches."),
  PathChanged: lines("Starts the unit when the file was changed and closed."),
  PathModified: lines("Starts the unit at every write to the file."),
  DirectoryNotEmpty: lines("Starts the unit when the directory has entries."),
  Unit: text("Unit to start; the service of the same name by default."),
  MakeDirectory: flag("Makes the watched directories."),
  DirectoryMode: text("Mode of directories that are made."),
};
