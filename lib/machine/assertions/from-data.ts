import * as Effect from "effect/Effect";
import type { InvalidAssertionError } from "../errors.ts";
import type { Assertion } from "../assertion.ts";
import type { AssertionData } from "../assertion-data.ts";
import { command } from "./command.ts";
import { file } from "./file.ts";
import { networkInterface, sshServer } from "./network.ts";
import { journal } from "./journal.ts";
import { mount } from "./mount.ts";
import { socketActivation } from "./socket-activation.ts";
import { booted, hostname, powerOff, unitActive } from "./system.ts";
import { passwordLocked, user } from "./user.ts";

/** Turns an assertion that is data into one that can be run. */
export function assertionFrom(data: AssertionData): Effect.Effect<Assertion, InvalidAssertionError> {
  // A command needs no type: it is what an option module writes most.
  if (data.type === undefined) return command(data);
  switch (data.type) {
    case "command":
      return command(data);
    case "booted":
      return Effect.succeed(booted(data));
    case "unit-active":
      return Effect.succeed(unitActive(data));
    case "hostname":
      return Effect.succeed(hostname(data));
    case "user":
      return Effect.succeed(user(data));
    case "password-locked":
      return Effect.succeed(passwordLocked(data));
    case "file":
      return file(data);
    case "socket-activation":
      return Effect.succeed(socketActivation(data));
    case "mount":
      return Effect.succeed(mount(data));
    case "interface":
      return Effect.succeed(networkInterface(data));
    case "ssh":
      return Effect.succeed(sshServer(data));
    case "journal":
      return Effect.succeed(journal(data));
    case "power-off":
      return Effect.succeed(powerOff());
  }
}
