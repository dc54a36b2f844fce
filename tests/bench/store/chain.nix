# A chain of derivations, each of which needs the one before.
{ length }:
let
  step = name: text: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" text ];
  };
  next = last: index:
    let this = step "n${toString (index + 1)}" "cat ${last} > $out";
    in builtins.seq this.drvPath this;
in
builtins.foldl' next (step "n0" "echo > $out") (builtins.genList (index: index) (length - 1))
