import type { Provider } from "../../../core/provider.ts";
import { findProvider } from "../../../core/provider.ts";
import { StageError } from "../../../core/stage_error.ts";
import type { CredentialSource } from "../credential.ts";
import { awsLogin } from "./aws.ts";
import { azureLogin } from "./azure.ts";
import { gcpLogin } from "./gcp.ts";
import { genericLogin } from "./generic.ts";
import type { LoginTools } from "./login_tools.ts";

/** Ways to log in to a cloud's registries, as `spec.provider` names them. */
export const loginProviders: readonly Provider<undefined, LoginTools, CredentialSource>[] = [
  genericLogin,
  awsLogin(),
  azureLogin(),
  gcpLogin(),
];

/**
 * Login of a cloud by the name in `spec.provider`. Make one and keep it: it keeps tokens until shortly before they end.
 *
 * @throws {StageError} InvalidDocument for an unknown name, with the known ones
 */
export function openLogin(name: string, tools: LoginTools): CredentialSource {
  const provider = findProvider(loginProviders, name);
  if (provider === undefined) {
    const known = loginProviders.map((one) => `"${one.name}"`).join(", ");
    throw new StageError("InvalidDocument", `Cannot log in with provider "${name}": known are ${known}`);
  }
  return provider.create(undefined, tools);
}
