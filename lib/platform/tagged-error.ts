/**
 * A class of errors with a tag and fields, as `Data.TaggedError` of Effect makes them, for code that most runs load
 * although they meet no error and start no fiber. Such an error cannot be yielded: `Effect.fail` takes it.
 *
 * @example class FileGone extends TaggedError("FileGone")<{ readonly path: string }> {}
 */
export const TaggedError = <const Tag extends string>(
  tag: Tag,
): (new <Fields extends object>(
  fields: Fields,
) => Error & { readonly _tag: Tag } & Readonly<Fields>) =>
  class extends Error {
    readonly _tag = tag;

    constructor(fields: object) {
      super();
      Object.assign(this, fields);
      this.name = tag;
    }
  } as never;
