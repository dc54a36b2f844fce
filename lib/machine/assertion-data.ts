/**
 * Assertions as plain data, so that option modules can declare what an option
 * promises beside the option itself. `assertions/from-data.ts` turns them into code.
 */

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Text to compare with: exactly (but for line ends at the very end), or by a regular expression. */
export type ExpectedText = { readonly equals: string } | { readonly matches: string };

/** A shell command, run by root in the guest, and its outcome. */
export interface CommandAssertion {
  readonly type?: "command";
  readonly description: string;
  readonly command: string;
  readonly expect: {
    /** Default 0. */
    readonly status?: number;
    readonly stdout?: ExpectedText;
  };
  /** Repeat the command until the expectation is met or the time is over. Default false. */
  readonly retry?: boolean;
  /** Seconds on a quiet host. Default 30. */
  readonly timeout?: number;
}

/** The boot has ended well: the target is active, nothing failed, and no job was given up for a missing dependency. */
export interface BootedAssertion {
  readonly type: "booted";
  /** Default multi-user.target. */
  readonly target?: string;
  /** Seconds on a quiet host. Default 90. */
  readonly timeout?: number;
}

export interface UnitActiveAssertion {
  readonly type: "unit-active";
  readonly unit: string;
  readonly timeout?: number;
}

export interface HostnameAssertion {
  readonly type: "hostname";
  readonly hostname: string;
}

/** A user as the guest's name service knows it. What is left out is not compared. */
export interface UserAssertion {
  readonly type: "user";
  readonly name: string;
  readonly uid?: number;
  readonly gid?: number;
  /** All groups, the primary one included, in any order. */
  readonly groups?: readonly string[];
  readonly home?: string;
  readonly shell?: string;
}

/** Nobody can log in as this user with a password. */
export interface PasswordLockedAssertion {
  readonly type: "password-locked";
  readonly user: string;
}

/** A file, directory or link. What is left out is not compared. */
export interface FileAssertion {
  readonly type: "file";
  readonly path: string;
  /** Default "file". */
  readonly kind?: "file" | "directory" | "symlink";
  /** The whole content, to the byte. */
  readonly content?: string;
  /** A regular expression that the content matches somewhere. */
  readonly matches?: string;
  /** Where a link points to. */
  readonly target?: string;
  /** Octal, without a leading zero: "755". */
  readonly mode?: string;
  readonly owner?: string;
  readonly group?: string;
}

/** A socket whose service starts with the first request. */
export interface SocketActivationAssertion {
  readonly type: "socket-activation";
  readonly socket: string;
  readonly service: string;
  /** Path of the Unix stream socket. */
  readonly path: string;
  /** A line to send; nothing is sent without. */
  readonly request?: string;
  /** Fields that the answer, one line of JSON, has. */
  readonly answer: { readonly [key: string]: Json };
}

/** A mounted file system. */
export interface MountAssertion {
  readonly type: "mount";
  readonly path: string;
  /** "ext4", "vfat" … */
  readonly fileSystem?: string;
  /** Mount options that are set: "rw", "noexec" … */
  readonly options?: readonly string[];
}

/** A network interface that is up and has an address. */
export interface InterfaceAssertion {
  readonly type: "interface";
  /** Default: any but the loopback interface. */
  readonly name?: string;
  /** Address and prefix length, "10.0.0.1/24". Default: any of global scope. */
  readonly address?: string;
}

/** An ssh server that answers on the loopback interface. */
export interface SshAssertion {
  readonly type: "ssh";
  /** Default 22. */
  readonly port?: number;
}

/** The journal of this boot has no warning, and nothing worse, by or about these units. */
export interface JournalAssertion {
  readonly type: "journal";
  /** Full names; a template's name stands for all of its instances. */
  readonly units: readonly string[];
}

/** The guest powers itself off when it is told to. Only of use as the last assertion. */
export interface PowerOffAssertion {
  readonly type: "power-off";
}

/** Every assertion that can be written as data. */
export type AssertionData =
  | CommandAssertion
  | BootedAssertion
  | UnitActiveAssertion
  | HostnameAssertion
  | UserAssertion
  | PasswordLockedAssertion
  | FileAssertion
  | SocketActivationAssertion
  | MountAssertion
  | InterfaceAssertion
  | JournalAssertion
  | SshAssertion
  | PowerOffAssertion;

/** Something that a reboot must not change: a command prints the same before and after. */
export interface PersistentData {
  /** A noun phrase: "the machine's identifier". */
  readonly description: string;
  /** Run by root in the guest. It must succeed and print something. */
  readonly command: string;
  /** Seconds on a quiet host. Default 30. */
  readonly timeout?: number;
}
