/**
 * Passwords, ciphers, keys and certificates (sprig 3.3.0 crypto.go). All chance comes from the render's source. What they do
 * is in crypto_work.ts, which is loaded by the first template that asks for it.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { goTypes } from "../template/go_type.ts";
import { templateModules } from "../template_modules.ts";
import { certificateType } from "./certificate_type.ts";
import { func } from "./registry.ts";
import type { FunctionTable } from "./registry.ts";

const { int, list, string, uint32 } = goTypes;

const work = () => templateModules.crypto().cryptoWork;

/** Functions by name. */
export const cryptoFunctions: FunctionTable = {
  bcrypt: func([string], string, (...args) => work().bcrypt(...args)),
  buildCustomCert: func([string, string], certificateType, (...args) => work().buildCustomCert(...args)),
  decryptAES: func([string, string], string, (...args) => work().decryptAES(...args)),
  derivePassword: func([uint32, string, string, string, string], string, (...args) => work().derivePassword(...args)),
  encryptAES: func([string, string], string, (...args) => work().encryptAES(...args)),
  genCA: func([string, int], certificateType, (...args) => work().genCA(...args)),
  genCAWithKey: func([string, int, string], certificateType, (...args) => work().genCAWithKey(...args)),
  genPrivateKey: func([string], string, (...args) => work().genPrivateKey(...args)),
  genSelfSignedCert: func([string, list, list, int], certificateType, (...args) => work().genSelfSignedCert(...args)),
  genSelfSignedCertWithKey: func(
    [string, list, list, int, string],
    certificateType,
    (...args) => work().genSelfSignedCertWithKey(...args),
  ),
  genSignedCert: func(
    [string, list, list, int, certificateType],
    certificateType,
    (...args) => work().genSignedCert(...args),
  ),
  genSignedCertWithKey: func(
    [string, list, list, int, certificateType, string],
    certificateType,
    (...args) => work().genSignedCertWithKey(...args),
  ),
  htpasswd: func([string, string], string, (...args) => work().htpasswd(...args)),
  randBytes: func([int], string, (context, count) => {
    context.reserve("randBytes", count);
    if (count < 0) throw new GoError("runtime error: makeslice: len out of range");
    context.spend(Math.max(0, count));
    return context.tools.random.bytes(count).toBase64();
  }),
};
