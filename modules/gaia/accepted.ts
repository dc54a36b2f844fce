/** Keys of Gaia that mean nothing here: they are checked, and dropped. */
import { mkOption, types } from "#lib/evaluator/index.ts";

const text = mkOption({ type: types.str });
const toggle = mkOption({ type: types.bool });
const count = mkOption({ type: types.ints.unsigned });
// A step cannot be left out; in Gaia that is an error, too.
const step = { enabled: mkOption({ type: types.enum([true]) }) };
const anything = mkOption({ type: types.anything });

/** By why they mean nothing. */
export const acceptedKeys = {
  // Builds run in a sandbox, and their results are in the store: there are no directories to name.
  workspace: { enabled: toggle },
  buildroot: {
    enabled: toggle,
    src_dir: text,
    br_output_dir: text,
    build_dir: text,
    output_dir: text,
    collect_out_dir: text,
    collect_refresh_post_image: toggle,
    download_dir: text,
    ccache_dir: text,
    use_ccache: toggle,
    // Jobs and cores are chosen on the command line.
    performance_profile: mkOption({ type: types.enum(["max", "balanced", "safe"]) }),
    threads: count,
    top_level_jobs: count,
    top_level_load: mkOption({ type: types.number }),
    // Downloads are checked by hash, and resumed.
    git_http_low_speed_limit: count,
    git_http_low_speed_time: count,
    git_http_version: text,
    // The image is made to measure, with a manifest and a report of all hashes.
    shrink_ext: toggle,
    report: toggle,
    report_hashes: toggle,
    steps: { fetch: step, configure: step, build: step, collect: step },
    rpi: {
      enabled: toggle,
      // What these files say becomes options, see base.ts.
      config_file: text,
      cmdline_file: text,
      overlay: text,
      steps: { validate: step, prepare: step },
    },
    starting_point: {
      // The only base there is, and the stage always goes over it.
      apply_stage_overlay: toggle,
      source_label: text,
      image_read_only: toggle,
      // Packages are pinned in flake.lock and unpacked, not installed into a running system.
      packages: {
        execute: toggle,
        manager: text,
        update: toggle,
        dist_upgrade: toggle,
        allow_major_upgrade: toggle,
        release_version: text,
        os_release_path: text,
        extra_args: mkOption({ type: types.listOf(types.str) }),
      },
    },
  },
  stage: {
    enabled: toggle,
    env: { enabled: toggle },
    steps: { render: step },
  },
  // Every result is kept in the store under the hash of all that it is made from, and binary caches share it.
  checkpoints: anything,
};

/** Keys of Gaia that cannot be had, with what to do instead. */
export const unsupportedKeys: Readonly<Record<string, string>> = {
  "inputs.resolved":
    "this is what inputs come to, and Gaia writes it itself. Set inputs.values, or give the value with --set",
  "buildroot.starting_point.packages.remove":
    "nothing is removed from a base that is made of packages. Leave what depends on them away, or name them in buildroot.starting_point.packages.exclude",
};
