/**
 * Packages of the target with which Java programs run. The JDK's own libraries
 * need the three last ones, and Debian only recommends them.
 */
export const javaRuntimePackages = [
  "openjdk-21-jre-headless",
  "libasound2t64",
  "libfreetype6",
  "libharfbuzz0b",
] as const;
