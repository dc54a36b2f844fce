import type { TodoItem } from "#lib/build/inspect/task-plan.ts";
import { downloadSize } from "#lib/build/plan.ts";

/** What would be done about a derivation, as `plan` and `build --dry-run` print it. */
export interface ShownItem {
  readonly name: string;
  readonly derivation: string;
  readonly kind: TodoItem["kind"];
  /** Of what is downloaded, where it is known. */
  readonly bytes?: number;
  /** URLs of the binary caches that have it. */
  readonly caches?: readonly string[];
}

/** Describes what would be done about a derivation. */
export function shownItem(item: TodoItem): ShownItem {
  const { path, store } = item.derivation;
  const named = { name: store.name, derivation: path };
  switch (item.kind) {
    case "build":
      return { ...named, kind: item.kind };
    case "fetch":
      return { ...named, kind: item.kind, bytes: downloadSize(store) ?? 0 };
    case "cache": {
      const bytes = item.offers.reduce((total, offer) => total + offer.bytes, 0);
      return { ...named, kind: item.kind, bytes, caches: [...new Set(item.offers.map(({ cache }) => cache))] };
    }
    default:
      return item satisfies never;
  }
}
