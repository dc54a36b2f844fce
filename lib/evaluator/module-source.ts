/** Where definitions and declarations come from. */
import { callSiteOf } from "./module.ts";

/** A place in a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** A loaded module, as far as messages and provenance need it. */
export class ModuleSource {
  /** Shown where no file is known. */
  readonly name: string;
  /** Set for generated modules and data files. */
  readonly file: string | undefined;
  /** The module object, for its call site. */
  readonly module: object | undefined;
  /** Text appended to the file in messages, e.g. "via option services". */
  readonly via: string | undefined;

  /** Whether this is a TOML or JSON file. */
  readonly isData: boolean;

  constructor(name: string, file?: string, module?: object, via?: string, isData = false) {
    this.name = name;
    this.file = file;
    this.module = module;
    this.via = via;
    this.isData = isData;
  }

  /** The file the module stands in, if known. */
  get path(): string | undefined {
    if (this.file !== undefined) return this.file;
    return this.module === undefined ? undefined : callSiteOf(this.module)?.position?.file;
  }

  /** What messages call this module. */
  get label(): string {
    const path = this.path ?? this.name;
    return this.via === undefined ? path : `${path}, ${this.via}`;
  }

  /** Where the module begins. */
  get place(): Place | undefined {
    if (this.file !== undefined) return { file: this.file };
    return this.module === undefined ? undefined : callSiteOf(this.module)?.position;
  }
}

/** For definitions whose origin nobody recorded. */
export const unknownSource: ModuleSource = new ModuleSource("<unknown file>");

const sources = new WeakMap<object, ModuleSource>();

/** Records where a module comes from that was made on somebody's behalf. */
export function withSource<T extends object>(module: T, source: ModuleSource): T {
  sources.set(module, source);
  return module;
}

/** What `withSource` recorded. */
export function recordedSource(module: object): ModuleSource | undefined {
  return sources.get(module);
}
