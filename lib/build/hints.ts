/** A known cause of a failed build: what its log says, and what to do about it. */
export interface KnownCause {
  /** Stable name, for events and for searching. */
  readonly id: string;
  /** Tested on single lines. */
  readonly pattern: RegExp;
  readonly title: string;
  readonly advice: string;
}

/** A known cause that a log shows. */
export interface Hint {
  readonly id: string;
  readonly title: string;
  readonly advice: string;
  /** The lines that show it, without repetition, at most three. */
  readonly evidence: readonly string[];
}

/** Each cause at most once; those further up explain those further down and are shown first. */
export const knownCauses: readonly KnownCause[] = [
  {
    id: "disk-full",
    pattern: /No space left on device|Disk quota exceeded/i,
    title: "The disk is full",
    advice: "Free some space: remove old ./result links and run 'store gc'.",
  },
  {
    id: "out-of-memory",
    pattern:
      /(^|\W)(Killed$|Killed signal|signal 9|Cannot allocate memory|virtual memory exhausted|out of memory|std::bad_alloc)/i,
    title: "The machine ran out of memory",
    advice: "Build with fewer jobs ('-j 1') or fewer cores ('--cores 1'); where '--max-memory' is given, raise it.",
  },
  {
    id: "network",
    pattern:
      /Network is unreachable|Temporary failure in name resolution|Could not resolve (host|proxy)|Name or service not known|getaddrinfo.*(EAI_AGAIN|ENOTFOUND)|failed to lookup address information/i,
    title: "The build tried to use the network, and a build has none",
    advice: "Fetch what it wants beforehand with a fixed-output derivation, and pass that as an input.",
  },
  {
    id: "sandbox-program",
    pattern: /^bwrap: execvp (\S+): No such file or directory/,
    title: "The environment does not have the builder, or not the interpreter or loader that it names",
    advice: "Add the package to the environment, or correct the derivation's 'builder'.",
  },
  {
    id: "sandbox",
    pattern: /^bwrap: (?!execvp )/,
    title: "The sandbox could not be set up",
    advice: "If the build worked before on this machine, the store may be damaged: run 'store verify'.",
  },
  {
    id: "pkg-config",
    pattern:
      /No package '[^']+' found|Package '?[^'\s]+'?,? (was not found in the pkg-config search path|required by .* not found)|Dependency "?[^"]+"? not found, tried pkgconfig|Could NOT find PkgConfig|pkg-config: (command )?not found/i,
    title: "A library that pkg-config should know is missing",
    advice: "Add the library's development package (and pkg-config itself) to the environment.",
  },
  {
    id: "cmake-policy",
    pattern:
      /Compatibility with CMake < [\d.]+ has been removed|cmake_minimum_required.*(removed|no longer supported)/i,
    title: "The project asks for a CMake older than this one still imitates",
    advice: "Pass -DCMAKE_POLICY_VERSION_MINIMUM=3.5 to cmake, or update the project.",
  },
  {
    id: "cmake-package",
    pattern: /Could not find a package configuration file provided by "([^"]+)"|Could NOT find (\S+) \(missing:/,
    title: "CMake does not find a package",
    advice: "Add its development package to the environment, or set <name>_DIR / CMAKE_PREFIX_PATH.",
  },
  {
    id: "meson-option",
    pattern: /ERROR: (Unknown options?:|In subproject .* Unknown options)/i,
    title: "Meson does not know an option that it was given",
    advice: "Remove the option, or correct its name: meson_options.txt of the source lists what there is.",
  },
  {
    id: "meson-boolean",
    pattern:
      /Value "?(true|false)"? \(of type "?\w+"?\) for( combo)? option .* is not one of|Value (true|false|'true'|'false') .*(enabled|disabled|auto)/i,
    title: "A Meson feature was given true or false",
    advice: "Features take 'enabled', 'disabled' or 'auto'.",
  },
  {
    id: "header",
    pattern: /fatal error: ([^\s:]+\.(h|hh|hpp|hxx)|[a-z_]+): No such file or directory/,
    title: "A header is missing",
    advice: "Add the development package that holds it to the environment.",
  },
  {
    id: "linker-library",
    pattern: /cannot find -l\S+|library not found for -l|undefined reference to `__atomic_/,
    title: "The linker does not find a library",
    advice:
      "Add its development package for the target architecture, or the missing -l flag (-latomic for __atomic_ symbols).",
  },
  {
    id: "wrong-architecture",
    pattern:
      /Exec format error|file in wrong format|skipping incompatible .* when searching for|Relocations in generic ELF/i,
    title: "A program or a library is of another architecture",
    advice: "Programs that run during the build must be the build machine's; libraries must be the target's.",
  },
  {
    id: "python-module",
    pattern: /ModuleNotFoundError: No module named/,
    title: "A Python module is missing",
    advice: "Add its python3-* package to the environment.",
  },
  {
    id: "cargo-vendor",
    pattern: /error: (failed to get|no matching package named) .*|unable to update registry/i,
    title: "Cargo looks for crates that were not vendored",
    advice: "Vendor the crates as fixed-output inputs and build with --offline.",
  },
  {
    id: "read-only",
    pattern: /Read-only file system/i,
    title: "The build wrote outside of /build, /tmp and $out",
    advice: "Copy what it changes into the build directory first (and make the copy writable: chmod -R u+w).",
  },
  {
    id: "chown",
    pattern: /(chown|Cannot change ownership).*(Invalid argument|Operation not permitted)/i,
    title: "The build changed the owner of a file, and only one user exists in a sandbox",
    advice: "Set owners in the archive instead (tar --owner=0 --group=0), or extract with --no-same-owner.",
  },
  {
    id: "interpreter",
    pattern:
      /bad interpreter: No such file or directory|: not found$|: command not found$|No such file or directory.*(awk|perl|python3?|m4|bison|flex|makeinfo)/i,
    title: "A program is missing",
    advice: "Add the package that holds it to the environment. Debian's alternatives (awk, cc …) need a link there.",
  },
  {
    id: "test-failure",
    pattern:
      /^(make: \*\*\* .*(check|test)\b|FAILED \(failures=|test result: FAILED|\d+% tests passed, [1-9]\d* tests? failed)/,
    title: "The program was built, and its own tests failed",
    advice: "Tests that need a network, a home directory or many cores fail in a sandbox: skip those, not all.",
  },
];

const mostEvidence = 3;

/** How many characters of a line are compared: in a dump, some patterns would begin at each word and search to the end. */
const longestCompared = 2000;

/** The known causes that a log shows, in the table's order. */
export function explain(lines: readonly string[], causes: readonly KnownCause[] = knownCauses): Hint[] {
  const found = new Map<string, Set<string>>();
  for (const whole of lines) {
    const line = whole.slice(0, longestCompared);
    for (const { id, pattern } of causes) {
      if (!pattern.test(line)) continue;
      const evidence = found.get(id) ?? new Set();
      if (evidence.size < mostEvidence) evidence.add(line.trim());
      found.set(id, evidence);
    }
  }
  return causes.flatMap(({ id, title, advice }) => {
    const evidence = found.get(id);
    return evidence === undefined ? [] : [{ id, title, advice, evidence: [...evidence] }];
  });
}
