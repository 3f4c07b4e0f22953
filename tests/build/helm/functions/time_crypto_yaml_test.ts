import { equal, match, notEqual, ok } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { decodeBase64 } from "../../../../src/build/helm/functions/go_base64.ts";
import { renderFiles } from "../../../support/template_harness.ts";

function render(template: string): string {
  const result = renderFiles({
    files: { "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "templates/t.yaml": template },
    dialect: "helm4.2.4",
  });
  if (result.error !== undefined) throw new Error(result.error);
  return [...result.outputs.values()][0] ?? "";
}

function certificates(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

Deno.test("genSignedCert makes a certificate that its authority has signed, for the names and addresses given", () => {
  const template = '{{ $ca := genCAWithKey "ca" 9 (genPrivateKey "ecdsa") }}' +
    '{{ $c := genSignedCertWithKey "h" (list "10.0.0.1" "2001:db8::1") (list "a.b") 3 $ca (genPrivateKey "ed25519") }}{{ $ca.Cert }}{{ $c.Cert }}';
  const [ca, leaf] = certificates(render(template));

  ok(ca !== undefined && leaf !== undefined);
  equal(leaf.verify(ca.publicKey), true);
  equal(ca.ca, true);
  equal(leaf.ca, false);
  match(leaf.subjectAltName ?? "", /DNS:a\.b.*10\.0\.0\.1.*2001:DB8/i);
});

Deno.test("keys and certificates come from the render's seed alone", () => {
  const template = '{{ genPrivateKey "ecdsa" }}{{ (genSelfSignedCert "h" nil nil 1).Cert }}{{ encryptAES "k" "x" }}';

  equal(render(template), render(template));
  notEqual(render('{{ genPrivateKey "ecdsa" }}'), render('{{ randBytes 1 }}{{ genPrivateKey "ecdsa" }}'));
});

Deno.test("dates follow Go's layouts and the render's moment", () => {
  equal(
    render('{{ toDate "2006-01-02" "2024-02-29" | dateModify "25h" | date "Mon _2 Jan 15:04 MST" }}'),
    "Fri  1 Mar 01:00 UTC",
  );
  equal(render('{{ durationRound "2400h" }} {{ duration "95" }} {{ ago now }}'), "3mo 1m35s 0s");
  equal(render('{{ (toDate "2006-01-02" "2024-02-29").Weekday }}'), "Thursday");
});

Deno.test("YAML and TOML functions print as Helm does and keep errors in the result", () => {
  equal(render('{{ toYaml (dict "b" "yes" "a10" 1 "a2" (list "x")) }}'), 'a2:\n- x\na10: 1\nb: "yes"');
  equal(render('{{ toToml (dict "t" (dict "k" 1.0) "a" "x") }}'), 'a = "x"\n\n[t]\n  k = 1.0\n');
  equal(render('{{ hasKey (fromYaml "a: [") "Error" }} {{ hasKey (fromToml "a =") "Error" }}'), "true true");
  equal(render('{{ (fromToml "a = 9223372036854775808").Error | contains "secret" }}'), "false");
});

Deno.test("decodeBase64() tells where Go sees the first fault", () => {
  const decode = (text: string) => {
    const result = decodeBase64(new TextEncoder().encode(text));
    return typeof result === "number" ? result : new TextDecoder().decode(result);
  };

  equal(decode("YWJj\nZA=="), "abcd");
  equal(decode("YW!j"), 2);
  equal(decode("YWJ"), 0);
  equal(decode("YQ==x"), 4);
});
