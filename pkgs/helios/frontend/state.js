/** How the answer of /api/state is worded. Pure, so that tests need no browser. */

/** A number of bytes in a unit that people read. */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; count >= 1024 && unit < units.length - 1; unit++) count /= 1024;
  return `${count.toFixed(unit === 0 || count >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** A number of seconds as days, hours and minutes. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return [days > 0 ? `${days} d` : "", days + hours > 0 ? `${hours} h` : "", `${minutes} min`].filter((part) => part !== "").join(" ");
}

/** What the page shows: titled sections of rows, in the order of the answer. */
export function sections(state) {
  return Object.entries(state).map(([name, value]) => ({
    title: name.charAt(0).toUpperCase() + name.slice(1),
    failed: "error" in value,
    rows: rows(value),
  }));
}

/** One sentence about everything. */
export function summary(state) {
  const failed = Object.keys(state).filter((name) => "error" in state[name]);
  const version = state.updater?.image?.name ?? "HeliOS";
  return failed.length === 0 ? `${version}: everything answers.` : `${version}: no answer from ${failed.join(", ")}.`;
}

function rows(value) {
  return Object.entries(value).flatMap(([name, field]) => {
    if (field === null) return [[words(name), "unknown"]];
    if (Array.isArray(field)) return [[words(name), list(field)]];
    if (typeof field === "object") return rows(field).map(([inner, text]) => [`${words(name)} ${inner}`, text]);
    if (name.endsWith("Bytes")) return [[words(name.slice(0, -5)), bytes(field)]];
    if (name.endsWith("Microseconds")) return [[words(name.slice(0, -12)), duration(field / 1e6)]];
    if (name.endsWith("Seconds")) return [[words(name.slice(0, -7)), duration(field)]];
    return [[words(name), String(field)]];
  });
}

function list(items) {
  if (items.length === 0) return "none";
  return items.map((item) => (typeof item === "object" && item !== null ? (item.name ?? item.file ?? JSON.stringify(item)) : String(item))).join(", ");
}

function words(name) {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
