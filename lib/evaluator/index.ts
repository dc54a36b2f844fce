/** The evaluator: option modules in, one typed, frozen configuration out. */
export type {
  Config,
  ConfigDefinition,
  ConfigDefinitions,
  Declarations,
  ModuleArguments,
  Options,
  RootScope,
  SubmoduleScope,
} from "./config.ts";
export type { Definition, Definitions, Plain, Property, Scope, Thunk } from "./definition.ts";
export { definedJson, definedToml } from "./defined-text.ts";
export { definedValues, type DefinedValues } from "./defined-values.ts";
export {
  documentationJson,
  documentationMarkdown,
  documentOptions,
  type OptionDocumentation,
  undescribed,
} from "./documentation.ts";
export { documentationHtml } from "./documentation-page.ts";
export { type Documentation, literalExpression, literalMD } from "./documentation-text.ts";
export { allErrors } from "./check.ts";
export { type Asserted, assertionsError, assertionsModule, checkAssertions } from "./assertions.ts";
export { type EvaluatedOption, optionsOf, type OptionsOf } from "./evaluated-option.ts";
export type { ModuleGraphNode } from "./collect.ts";
export { dataProblems } from "./data-check.ts";
export { type DataDocument, dataModule } from "./data-modules.ts";
export type { DataProblem, PlacedDataProblem } from "./data-problem.ts";
export { keyFinder, parseData } from "./data-text.ts";
export { describeFailure, EvaluationError, type Failure, type FailureReason } from "./errors.ts";
export { type EvaluatedModules, type EvaluationRequest, evalModules, type Replacement } from "./evaluate.ts";
export { type FunctionValue, mkFunction } from "./function-value.ts";
export { type Lint, lintModules, type LintOptions, type LintRule, lintSystem } from "./lint.ts";
export { type OptionPath, showComponent, showOption } from "./location.ts";
export {
  doRename,
  getAttrByPath,
  mkAliasAndWrapDefinitions,
  mkAliasDefinitions,
  mkAliasOptionModule,
  mkChangedOptionModule,
  mkMergedOptionModule,
  mkRemovedOptionModule,
  mkRenamedOptionModule,
  mkRenamedOptionModuleWith,
  type Renaming,
} from "./migrations.ts";
export { type DefinedModule, defineModule, type Module, type ModuleFunction, type ModuleReference } from "./module.ts";
export type { Place } from "./module-source.ts";
export { codeFrame, placesOf, renderError, showPlace } from "./places.ts";
export { findOption, type MissingOption, type NamedOption } from "./named-option.ts";
export { type ConfigOf, isOption, mkOption, type Option, type OptionFields } from "./option.ts";
export type { DefinitionProvenance, DefinitionStatus } from "./provenance.ts";
export { mkEnableOption, mkPackageOption, type PackageOptionDetails } from "./option-helpers.ts";
export {
  mkAfter,
  mkBefore,
  mkDefault,
  mkDefinition,
  mkForce,
  mkIf,
  mkImageMediaOverride,
  mkMerge,
  mkOptionDefault,
  mkOrder,
  mkOverride,
  mkVMOverride,
} from "./properties.ts";
export { toJson, toPlain } from "./records.ts";
export { type JsonSchema, schemaDocument } from "./schema.ts";
export { type SourceFiles, useSourceFiles } from "./source-files.ts";
export { decodeUtf8 } from "./utf8.ts";
export { tomlDocument, type TomlTable, type TomlValue } from "./toml.ts";
export { mkModule } from "./types/modules.ts";
export * as types from "./types/index.ts";
