import { execFile } from "node:child_process";
import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

/** What test recipes may call, beside bash's own commands. All are on every Debian and Ubuntu. */
const programs = (
  "bash cat chmod cp date dd env find grep head id ln ls mkdir mknod mount mv nproc readlink rm sed setsid sleep sort " +
  "stat touch uname unshare"
).split(" ");

/**
 * A self-contained environment for sandbox tests: the host's bash and core utilities with the libraries that they
 * need, in the layout of the real environments (merged /usr). Tests so need neither the network nor the pinned
 * packages; that it is the host's programs makes no difference to what the sandbox must hold back.
 *
 * @returns the directory, and how to remove it
 */
export async function makeToolRoot(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "helios-tool-root-"));
  for (const directory of ["usr/bin", "usr/lib", "usr/lib64", "etc"])
    await mkdir(join(root, directory), { recursive: true });
  for (const name of ["bin", "lib", "lib64"]) await symlink(`usr/${name}`, join(root, name));
  await symlink("usr/bin", join(root, "sbin"));
  await symlink("bash", join(root, "usr/bin/sh"));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\n");
  const found = await Promise.all(programs.map(hostProgram));
  const libraries = new Set((await Promise.all(found.map(librariesOf))).flat());
  for (const program of found) await install(program, join(root, "usr/bin", basename(program)));
  for (const library of libraries) await install(library, join(root, mergedUsr(library)));
  // Without the locale's data bash warns on every start.
  for (const locale of ["C.utf8", "C.UTF-8"]) {
    const data = join("usr/lib/locale", locale);
    await cp(join("/", data), join(root, data), { recursive: true }).catch(() => {});
  }
  return { path: root, remove: () => rm(root, { recursive: true, force: true }) };
}

async function install(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(await realpath(from), to);
  await chmod(to, 0o755);
}

/** /lib/x86_64-linux-gnu/libc.so.6 → /usr/lib/x86_64-linux-gnu/libc.so.6 */
const mergedUsr = (path: string): string => (path.startsWith("/usr/") ? path : `/usr${path}`);

const run = promisify(execFile);

async function hostProgram(name: string): Promise<string> {
  for (const directory of ["/usr/bin", "/bin"]) {
    try {
      await realpath(join(directory, name));
      return join(directory, name);
    } catch {
      // The next one.
    }
  }
  throw new Error(
    `the sandbox tests need '${name}'. Install it with: sudo apt-get install bash coreutils findutils grep sed util-linux mount`,
  );
}

/** What `ldd` prints: "name => path (address)", or "path (address)" for the loader. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run("ldd", [program]);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]!);
}
