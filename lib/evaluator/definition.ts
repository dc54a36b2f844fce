/**
 * Static types of definitions: what may be written for an option.
 *
 * Option types do not carry the written type itself but a description of it
 * (`Scalar`, `ListOf`, …), because the same option is written in scopes whose
 * thunks receive different configurations. `Plain` interprets a description in
 * a scope. `Property` is invariant, so `mkIf` and its kind take their type from
 * the place where they stand and an error is reported on the wrong token.
 */

declare const kind: unique symbol;
declare const property: unique symbol;
/** Key of an option type's and an option's phantom read type. */
export declare const readType: unique symbol;
/** Key of an option type's and an option's phantom description of what may be written. */
export declare const writeType: unique symbol;

/** A value written as it is. */
export interface Scalar<T> {
  readonly [kind]: "scalar";
  readonly scalar: T;
}
/** A list whose elements are definitions. */
export interface ListOf<W> {
  readonly [kind]: "list";
  readonly list: W;
}
/** A record whose values are definitions. */
export interface AttrsOf<W> {
  readonly [kind]: "attrs";
  readonly attrs: W;
}
/** Definitions of an option tree that is the value of one option, as in a submodule. */
export interface Tree<O> {
  readonly [kind]: "tree";
  readonly tree: O;
}
/** Definitions of a tree of options. It is no option itself, so no thunk may stand for it. */
export interface Group<O> {
  readonly [kind]: "group";
  readonly group: O;
}
/** An option tree that also accepts undeclared names of one type. */
export interface OpenTree<O, W> {
  readonly [kind]: "open-tree";
  readonly tree: O;
  readonly open: W;
}
/** Exactly one of several tags. */
export interface TagOf<O> {
  readonly [kind]: "tag";
  readonly tag: O;
}

/** What a thunk's parameters are in one evaluation. */
export interface Scope {
  readonly config: object;
  readonly arguments: object;
}

/** A value computed from the configuration. */
export interface Thunk<W, S extends Scope> {
  (config: S["config"], arguments_: S["arguments"]): Plain<W, S>;
}

/** What `mkIf`, `mkForce`, `mkMerge` … return. */
export interface Property<in out W, in out S extends Scope> {
  readonly [property]: readonly [(written: W) => W, (scope: S) => S];
}

/** A written value without thunk or property around it. */
export type Plain<W, S extends Scope> =
  W extends Scalar<infer T>
    ? T
    : W extends ListOf<infer E>
      ? readonly Definition<E, S>[]
      : W extends AttrsOf<infer E>
        ? { readonly [name: string]: Definition<E, S> }
        : W extends Tree<infer O>
          ? Definitions<O, S>
          : W extends Group<infer O>
            ? Definitions<O, S>
            : W extends OpenTree<infer O, infer E>
              ? OpenDefinitions<O, E, S>
              : W extends TagOf<infer O>
                ? TagDefinitions<O, S>
                : never;

/** Everything that may be written where `W` is expected. */
export type Definition<W, S extends Scope> = [W] extends [Group<infer O>]
  ? Definitions<O, S> | Property<W, S>
  : Plain<W, S> | Thunk<W, S> | Property<W, S>;

/** Definitions for a tree of options. */
export type Definitions<O, S extends Scope> = {
  readonly [K in keyof O]?: Definition<Written<O[K]>, S>;
};

/** The description of what may be written at one place of an option tree. */
export type Written<N> = N extends AnyOption ? N[typeof writeType] : Group<N>;

type OpenDefinitions<O, E, S extends Scope> = Definitions<O, S> & {
  readonly [name: string]: Definition<E | Written<O[keyof O]>, S> | undefined;
};

type TagDefinitions<O, S extends Scope> = {
  [K in keyof O]: { readonly [P in K]: Definition<Written<O[K]>, S> };
}[keyof O];

/** Anything that has the two phantom types. */
export interface AnyOption {
  readonly [readType]: unknown;
  readonly [writeType]: unknown;
}

/** A condition of `mkIf`. */
export type Condition<S extends Scope> = boolean | { (config: S["config"], arguments_: S["arguments"]): boolean };
