/** Speed of reading and printing YAML: `deno bench -A tests/bench/yaml_bench.ts`. */
import { parseYamlDocuments, printYamlDocuments } from "../../src/format/yaml.ts";

function manifest(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${index}
  namespace: team-${index % 7}
  labels:
    app.kubernetes.io/name: app-${index}
    app.kubernetes.io/version: "1.${index}"
  annotations:
    description: An application that stands here to be read and printed many times, number ${index}
spec:
  replicas: ${index % 5}
  selector:
    matchLabels:
      app.kubernetes.io/name: app-${index}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-${index}
    spec:
      serviceAccountName: default
      containers:
      - name: main
        image: registry.example.com/team/app:${index}.0.1
        args: ["--listen", ":8080", "--verbose"]
        ports:
        - containerPort: 8080
          name: http
          protocol: TCP
        env:
        - name: CONFIG
          value: |
            first line
            second line: ${index}
        resources:
          limits:
            memory: 64Mi
          requests:
            cpu: 10m
        readinessProbe:
          httpGet:
            path: /readyz
            port: http
          periodSeconds: 10
`;
}

const text = Array.from({ length: 2500 }, (_, index) => manifest(index)).join("---\n");
const json = JSON.stringify({ items: parseYamlDocuments(text).map((document) => document.value) });
const values = parseYamlDocuments(text).map((document) => document.value);
const size = `${(text.length / 1e6).toFixed(1)} MB`;

Deno.bench(`parse YAML, ${size}`, () => {
  parseYamlDocuments(text);
});
Deno.bench(`parse JSON, ${(json.length / 1e6).toFixed(1)} MB`, () => {
  parseYamlDocuments(json);
});
Deno.bench(`print YAML, ${size}`, () => {
  printYamlDocuments(values);
});
