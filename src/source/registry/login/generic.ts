import { defineProvider } from "../../../core/provider.ts";
import type { CredentialSource } from "../credential.ts";
import { anonymous } from "../credential.ts";
import type { LoginTools } from "./login_tools.ts";

/** No cloud: only what Secrets and files say. */
export const genericLogin = defineProvider<undefined, LoginTools, CredentialSource>({
  name: "generic",
  summary: "Logs in with the Secrets that the document names, else anonymously",
  create: () => anonymous,
});
