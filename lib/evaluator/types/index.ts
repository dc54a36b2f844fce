/** All option types, as `types.…`. */
export { type AnyOptionType, mergeOptionTypes, OptionType } from "./option-type.ts";
export { mkOptionType } from "./make.ts";
export {
  bool,
  boolByOr,
  commas,
  envVar,
  float,
  int,
  lines,
  nonEmptyStr,
  number,
  passwdEntry,
  separatedString,
  singleLineStr,
  str,
  strMatching,
} from "./scalars.ts";
export { ints, numbers, port } from "./numbers.ts";
export { attrs, attrsOf, attrsWith, lazyAttrsOf, listOf, nonEmptyListOf } from "./containers.ts";
export { addCheck, coercedTo, either, enum, nullOr, oneOf, uniq, unique } from "./unions.ts";
export { anything, opaque, package, raw, unspecified } from "./opaque.ts";
export { functionTo } from "./functions.ts";
export { externalPath, path, pathInStore, pathWith } from "./paths.ts";
export { submodule, submoduleWith } from "./submodules.ts";
export { optionDeclaration, optionType } from "./type-values.ts";
export {
  debianVersion,
  domainName,
  duration,
  fileMode,
  hostName,
  ipAddress,
  ipPrefix,
  ipv4Address,
  ipv6Address,
  macAddress,
  Secret,
  secret,
  semanticVersion,
  size,
  systemdUnitName,
} from "./field.ts";
export { attrListOf, attrListWith, attrTag, json, serializableValueWith, toml } from "./tags.ts";
export { deferredModule, deferredModuleWith, mergeTypes } from "./modules.ts";
