import { defineModule } from "#lib/evaluator/index.ts";
import base from "./base.ts";

/** The Raspberry Pi Compute Module 5. */
export default defineModule({
  name: "profiles/pi/cm5",
  imports: [base],
  config: {
    boot: {
      configTxt: "[cm5]\ndtparam=nvme\n",
    },
  },
});
