/**
 * A Kubernetes API server in memory: discovery, lists in pages, watches with bookmarks, server-side apply with managed
 * fields, dry runs, deletion with finalizers, CRDs. It has no controllers. `tests/e2e/fake_cluster_test.ts` holds it
 * against the real one.
 */
import { Hono } from "hono";
import type { Context } from "hono";
import type { Clock } from "../../src/core/clock.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isJsonObject, jsonEqual } from "../../src/core/json.ts";
import type { KubeApi } from "../../src/core/kube_api.ts";
import { timeText } from "../../src/core/clock.ts";
import { kubeClient } from "../../src/platform/kube/kube_client.ts";
import { parseLabelSelector } from "../../src/target/cluster/label_selector.ts";
import type { FieldSet } from "./fake_schema.ts";
import { dropField, fieldsSet, fieldValue, mergeConfig, parseFields, printFields } from "./fake_schema.ts";

interface FakeKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

type Live = { [key: string]: JsonValue };

interface Watcher {
  readonly path: string;
  readonly matches: (object: JsonObject) => boolean;
  readonly send: (event: JsonObject) => void;
  readonly close: () => void;
}

/** One request that the server got. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly body: JsonValue | undefined;
}

const builtIn: readonly FakeKind[] = ([
  ["", "v1", "namespaces", "Namespace", false],
  ["", "v1", "nodes", "Node", false],
  ["", "v1", "configmaps", "ConfigMap", true],
  ["", "v1", "secrets", "Secret", true],
  ["", "v1", "services", "Service", true],
  ["", "v1", "serviceaccounts", "ServiceAccount", true],
  ["", "v1", "pods", "Pod", true],
  ["", "v1", "events", "Event", true],
  ["", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true],
  ["apps", "v1", "deployments", "Deployment", true],
  ["apps", "v1", "statefulsets", "StatefulSet", true],
  ["batch", "v1", "jobs", "Job", true],
  ["coordination.k8s.io", "v1", "leases", "Lease", true],
  ["rbac.authorization.k8s.io", "v1", "roles", "Role", true],
  ["rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true],
  ["rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false],
  ["apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false],
] as const).map(([group, version, plural, kind, isNamespaced]) => ({ group, version, plural, kind, isNamespaced }));

/** An answer that is not a success. */
class Refused extends Error {
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly JsonObject[];
  constructor(code: number, reason: string, message: string, causes: readonly JsonObject[] = []) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.causes = causes;
  }
}

/** A cluster in memory. Objects are reached through {@linkcode FakeCluster.api} or {@linkcode FakeCluster.fetch}. */
export class FakeCluster {
  readonly #clock: Clock;
  readonly #objects = new Map<string, Live>();
  readonly #watchers = new Set<Watcher>();
  readonly #history: { readonly version: number; readonly path: string; readonly event: JsonObject }[] = [];
  readonly #app = new Hono();
  #kinds: readonly FakeKind[] = builtIn;
  #version = 100;
  #uids = 0;
  #oldest = 0;
  /** Every request, in order. */
  readonly requests: SeenRequest[] = [];
  /** Answers a request instead of the server, where it gives one. Throws for a broken connection. */
  intercept: ((request: SeenRequest) => Response | undefined) | undefined;
  /** Whether a user (`undefined` is the account itself) may do something; default everything. */
  allow: (
    request: SeenRequest & { readonly verb: string; readonly plural: string; readonly namespace: string },
  ) => boolean = () => true;

  readonly #id: string;

  /** @param id what its objects' identities start with: two clusters share none */
  constructor(clock: Clock, id = "") {
    this.#clock = clock;
    this.#id = id;
    for (const name of ["default", "kube-system"]) this.#makeNamespace(name);
    this.#app.all("*", (context) => this.#answer(context));
    // A connection that breaks is no answer.
    this.#app.onError((error) => {
      throw error;
    });
  }

  /** The server as a network. */
  readonly fetch = (request: Request): Response | Promise<Response> => this.#app.fetch(request);

  /** A client of this server. */
  api(options: { readonly tries?: number; readonly watchSilenceMs?: number } = {}): KubeApi {
    return kubeClient({
      server: "https://fake",
      namespace: "default",
      network: this.fetch,
      clock: this.#clock,
      random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
      authorize: () => Promise.resolve({}),
      ...options,
    });
  }

  /** Requests that wrote something: `PATCH path`. */
  get writes(): readonly string[] {
    return this.requests
      .filter((request) => request.method !== "GET" && request.query.dryRun === undefined)
      .map((request) => `${request.method} ${request.path}`);
  }

  /** An object by its path, for checks. */
  object(path: string): JsonObject | undefined {
    return this.#objects.get(path);
  }

  /** Changes an object as another manager would, or makes it; with `undefined` deletes it. */
  put(path: string, object: JsonObject | undefined, manager = "somebody"): void {
    const collection = path.slice(0, path.lastIndexOf("/"));
    if (object === undefined) return this.#remove(path, collection);
    const old = this.#objects.get(path);
    this.#store(path, collection, this.#updated(old, object as Live, manager));
  }

  /** Ends all watches, as a connection that breaks. */
  dropWatches(): void {
    for (const watcher of [...this.#watchers]) watcher.close();
    this.#watchers.clear();
  }

  /** Forgets what happened until now: watches from there are answered with 410. */
  compact(): void {
    this.#history.length = 0;
    this.#oldest = this.#version;
  }

  async #answer(context: Context): Promise<Response> {
    const url = new URL(context.req.url);
    const text = context.req.method === "GET" ? "" : await context.req.text();
    const seen: SeenRequest = {
      method: context.req.method,
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      user: context.req.header("impersonate-user"),
      body: text === "" ? undefined : JSON.parse(text),
    };
    this.requests.push(seen);
    const instead = this.intercept?.(seen);
    if (instead !== undefined) return instead;
    try {
      const answer = this.#serve(seen, context.req.header("accept") ?? "", context.req.header("content-type") ?? "");
      return answer instanceof Response ? answer : Response.json(answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return Response.json({
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        message: error.message,
        reason: error.reason,
        details: { causes: error.causes },
        code: error.code,
      }, { status: error.code });
    }
  }

  #serve(request: SeenRequest, accept: string, contentType: string): JsonObject | Response {
    const { path } = request;
    if (path === "/version") return { gitVersion: "v1.36.0-fake" };
    if (path === "/api") return { kind: "APIVersions", versions: ["v1"] };
    if (path === "/apis") return { groups: this.#groups() };
    const match = /^\/(?:api\/(v1)|apis\/([^/]+)(?:\/([^/]+))?)(?:\/(.+))?$/.exec(path);
    if (match === null) throw notFound();
    const group = match[2] ?? "";
    const version = match[1] ?? match[3];
    if (version === undefined) {
      const found = this.#groups().find((item) => item.name === group);
      if (found === undefined) throw notFound();
      return found;
    }
    const kinds = this.#kinds.filter((kind) => kind.group === group && kind.version === version);
    if (kinds.length === 0) throw notFound();
    if (match[4] === undefined) return { kind: "APIResourceList", resources: kinds.map(resourceOf) };
    const parts = match[4].split("/");
    const inNamespace = parts[0] === "namespaces" && parts.length >= 3;
    const namespace = inNamespace ? parts[1] ?? "" : "";
    const [plural, name] = inNamespace ? parts.slice(2) : parts;
    const kind = kinds.find((candidate) => candidate.plural === plural);
    if (kind === undefined) throw notFound();
    const verb = verbOf(request, name);
    if (!this.allow({ ...request, verb, plural: kind.plural, namespace })) {
      throw new Refused(
        403,
        "Forbidden",
        `${kind.plural}${kind.group === "" ? "" : `.${kind.group}`}${
          name === undefined ? "" : ` "${name}"`
        } is forbidden: User "${
          request.user ?? "admin"
        }" cannot ${verb} resource "${kind.plural}" in API group "${kind.group}" in the namespace "${namespace}"`,
      );
    }
    const collection = path.slice(0, name === undefined ? undefined : path.lastIndexOf("/"));
    if (name === undefined) {
      if (request.method === "POST") return this.#create(request, kind, collection, namespace);
      if (request.query.watch === "true") return this.#watch(request, collection, accept);
      return this.#list(request, kind, collection, accept);
    }
    const live = this.#objects.get(path);
    if (request.method === "PATCH" && contentType.startsWith("application/apply-patch")) {
      return this.#apply(request, kind, { path, collection, namespace, name });
    }
    if (live === undefined) throw notFoundObject(kind, name);
    switch (request.method) {
      case "GET":
        return live;
      case "PATCH":
        return this.#patch(request, path, collection, live, contentType);
      case "PUT": {
        const body = request.body as Live;
        this.#checkVersion(kind, name, live, body);
        const next = this.#updated(live, body, request.query.fieldManager ?? "client");
        return request.query.dryRun === undefined ? this.#store(path, collection, next) : next;
      }
      case "DELETE":
        return this.#delete(request, kind, path, collection, live);
      default:
        throw new Refused(405, "MethodNotAllowed", "the server does not allow this method");
    }
  }

  #groups(): JsonObject[] {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.#kinds) {
      if (group === "") continue;
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    return [...groups].map(([name, versions]) => ({
      name,
      versions: versions.map((version) => ({ groupVersion: `${name}/${version}`, version })),
      preferredVersion: { groupVersion: `${name}/${versions[0]}`, version: versions[0] ?? "" },
    }));
  }

  #list(request: SeenRequest, kind: FakeKind, collection: string, accept: string): JsonObject {
    const isPartial = accept.includes("PartialObjectMetadata");
    const matches = matcher(request.query);
    const found = [...this.#objects].filter(([path, object]) =>
      inCollection(path, collection, kind) && matches(object)
    );
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    const limit = Number(request.query.limit ?? found.length);
    const start = Number(request.query.continue ?? 0);
    const page = found.slice(start, start + limit).map(([, object]) => object);
    const more = start + limit < found.length ? { continue: String(start + limit) } : {};
    return {
      kind: isPartial ? "PartialObjectMetadataList" : `${kind.kind}List`,
      apiVersion: isPartial ? "meta.k8s.io/v1" : apiVersion(kind),
      metadata: { resourceVersion: String(this.#version), ...more },
      items: page.map((object) => isPartial ? { metadata: object.metadata ?? {} } : withoutKind(object)),
    };
  }

  #watch(request: SeenRequest, collection: string, accept: string): Response {
    const from = Number(request.query.resourceVersion ?? 0);
    if (from < this.#oldest) throw new Refused(410, "Expired", "too old resource version");
    const matches = matcher(request.query);
    const isPartial = accept.includes("PartialObjectMetadata");
    const encoder = new TextEncoder();
    let watcher: Watcher | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const known = new Set<string>();
        const send = (event: JsonObject) => {
          const object = event.object as JsonObject;
          const uid = String((object.metadata as JsonObject).uid);
          // Leaving the selector is a deletion, entering it an addition.
          const type = matches(object)
            ? event.type
            : known.has(uid) || event.type === "DELETED"
            ? "DELETED"
            : undefined;
          if (matches(object)) known.add(uid);
          if (type === undefined) return;
          const shown = isPartial
            ? { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata ?? {} }
            : object;
          controller.enqueue(encoder.encode(`${JSON.stringify({ type, object: shown })}\n`));
        };
        for (const object of this.#objects.values()) {
          if (matches(object)) known.add(String((object.metadata as JsonObject).uid));
        }
        watcher = {
          path: collection,
          matches,
          send,
          close: () => {
            try {
              controller.close();
            } catch {
              // The client has gone.
            }
          },
        };
        this.#watchers.add(watcher);
        for (const { version, path, event } of this.#history) {
          if (version > from && isBelow(path, collection)) send(event);
        }
      },
      cancel: () => {
        if (watcher !== undefined) this.#watchers.delete(watcher);
      },
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  }

  #create(request: SeenRequest, kind: FakeKind, collection: string, namespace: string): JsonObject {
    const body = request.body as Live;
    const metadata = body.metadata as Live;
    const path = `${collection}/${String(metadata.name)}`;
    if (this.#objects.has(path)) {
      throw new Refused(409, "AlreadyExists", `${resourceText(kind)} "${String(metadata.name)}" already exists`);
    }
    this.#checkNamespace(kind, namespace);
    const next = this.#updated(
      undefined,
      { ...body, apiVersion: apiVersion(kind), kind: kind.kind },
      request.query.fieldManager ?? "client",
    );
    return request.query.dryRun === undefined ? this.#store(path, collection, next) : next;
  }

  #apply(
    request: SeenRequest,
    kind: FakeKind,
    at: { readonly path: string; readonly collection: string; readonly namespace: string; readonly name: string },
  ): JsonObject {
    const config = request.body as Live;
    const manager = request.query.fieldManager;
    if (!manager) {
      throw new Refused(422, "Invalid", "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value");
    }
    if (isJsonObject(config.metadata) && config.metadata.managedFields !== undefined) {
      throw new Refused(400, "BadRequest", "metadata.managedFields must be nil");
    }
    this.#checkNamespace(kind, at.namespace);
    const live = this.#objects.get(at.path);
    const applied = fieldsSet(config);
    const rows = rowsOf(live);
    const own = rows.find((row) =>
      row.manager === manager && row.operation === "Apply" && row.subresource === undefined
    );
    const others = rows.filter((row) => row !== own);
    const conflicts: JsonObject[] = [];
    const lost = new Map<Row, FieldSet>();
    for (const row of others) {
      for (const field of row.fields) {
        if (!applied.has(field)) continue;
        const path = JSON.parse(field) as string[];
        const now = fieldValue(live, path);
        const wanted = fieldValue(config, path);
        if (
          isJsonObject(wanted) && isJsonObject(now) &&
          [...applied].some((other) => other !== field && startsWith(other, path))
        ) continue;
        if (jsonEqual(now, wanted)) continue;
        if (request.query.force !== "true") {
          conflicts.push({
            reason: "FieldManagerConflict",
            field: path.join("."),
            message: `conflict with "${row.manager}"`,
          });
        } else lost.set(row, (lost.get(row) ?? new Set()).add(field));
      }
    }
    if (conflicts.length > 0) {
      throw new Refused(409, "Conflict", `Apply failed with ${conflicts.length} conflicts`, conflicts);
    }
    let next = mergeConfig(live, config, []) as Live;
    const kept = new Set(others.flatMap((row) => [...row.fields]));
    for (const field of [...own?.fields ?? []].sort((a, b) => a.length - b.length)) {
      if (applied.has(field) || kept.has(field)) continue;
      const path = JSON.parse(field) as string[];
      if ([...applied, ...kept].some((other) => startsWith(other, path))) continue;
      next = dropField(next, path) as Live;
    }
    const metadata = {
      ...next.metadata as Live,
      name: at.name,
      ...(at.namespace === "" ? {} : { namespace: at.namespace }),
    };
    next = this.#defaulted({ ...next, apiVersion: apiVersion(kind), kind: kind.kind, metadata }, live);
    this.#validate(kind, live, next);
    const time = live !== undefined && own !== undefined && sameContent(live, next) && sameFields(own.fields, applied)
      ? own.time
      : timeText(this.#clock.now());
    const nextRows: Row[] = [
      ...others.map((row) => ({ ...row, fields: minus(row.fields, lost.get(row)) })).filter((row) =>
        row.fields.size > 0
      ),
      {
        manager,
        operation: "Apply",
        apiVersion: String(config.apiVersion),
        time,
        fields: applied,
        subresource: undefined,
      },
    ];
    next = withRows(next, nextRows);
    if (live !== undefined && sameContent(live, next) && jsonEqual(live.metadata, next.metadata)) return live;
    const stamped = this.#stamped(live, next);
    return request.query.dryRun === undefined
      ? this.#store(at.path, at.collection, stamped)
      : withoutVersion(stamped, live);
  }

  #patch(request: SeenRequest, path: string, collection: string, live: Live, contentType: string): JsonObject {
    let next: Live;
    if (contentType.startsWith("application/json-patch")) {
      next = structuredClone(live);
      for (const operation of request.body as readonly JsonObject[]) next = patchOne(next, operation);
    } else next = mergePatch(live, request.body as JsonObject);
    const managedGiven = !jsonEqual((next.metadata as Live).managedFields, (live.metadata as Live).managedFields);
    const result = managedGiven
      ? this.#stamped(live, next)
      : this.#updated(live, next, request.query.fieldManager ?? "client");
    return request.query.dryRun === undefined ? this.#store(path, collection, result) : result;
  }

  #delete(request: SeenRequest, kind: FakeKind, path: string, collection: string, live: Live): JsonObject {
    const options = isJsonObject(request.body) ? request.body : {};
    const wanted = isJsonObject(options.preconditions) ? options.preconditions.uid : undefined;
    const metadata = live.metadata as Live;
    if (wanted !== undefined && wanted !== metadata.uid) {
      throw new Refused(409, "Conflict", `the UID in the precondition (${String(wanted)}) does not match`);
    }
    const version = isJsonObject(options.preconditions) ? options.preconditions.resourceVersion : undefined;
    if (version !== undefined && version !== metadata.resourceVersion) {
      throw new Refused(409, "Conflict", `the ResourceVersion in the precondition (${String(version)}) does not match`);
    }
    if (request.query.dryRun !== undefined) return live;
    if (Array.isArray(metadata.finalizers) && metadata.finalizers.length > 0) {
      return this.#store(
        path,
        collection,
        this.#stamped(live, {
          ...live,
          metadata: { ...metadata, deletionTimestamp: metadata.deletionTimestamp ?? timeText(this.#clock.now()) },
        }),
      );
    }
    this.#remove(path, collection);
    if (kind.kind === "Namespace") {
      for (const other of [...this.#objects.keys()]) {
        if (other.includes(`/namespaces/${String(metadata.name)}/`)) {
          this.#remove(other, other.slice(0, other.lastIndexOf("/")));
        }
      }
    }
    return {
      kind: "Status",
      apiVersion: "v1",
      status: "Success",
      details: { name: String(metadata.name), uid: metadata.uid ?? "" },
    };
  }

  /** An object after an update by a manager: what changed becomes the manager's. */
  #updated(live: Live | undefined, body: Live, manager: string): Live {
    const next = this.#defaulted({ ...body, metadata: { ...body.metadata as Live } }, live);
    const before = live === undefined ? new Set<string>() : fieldsSet(live);
    const after = fieldsSet(next);
    const changed: FieldSet = new Set();
    for (const field of after) {
      const path = JSON.parse(field) as string[];
      if (!before.has(field) || !jsonEqual(fieldValue(live, path), fieldValue(next, path))) changed.add(field);
    }
    const rows = rowsOf(live).map((row) => ({
      ...row,
      fields: new Set(
        [...row.fields].filter((field) =>
          fieldValue(next, JSON.parse(field) as string[]) !== undefined &&
          (!changed.has(field) || isInner(field, after))
        ),
      ),
    }));
    if (changed.size > 0) {
      const own = rows.find((row) => row.manager === manager && row.operation === "Update");
      for (const field of changed) own?.fields.add(field);
      if (own === undefined) {
        rows.push({
          manager,
          operation: "Update",
          apiVersion: String(next.apiVersion),
          time: timeText(this.#clock.now()),
          fields: changed,
          subresource: undefined,
        });
      }
    }
    return this.#stamped(live, withRows(next, rows.filter((row) => row.fields.size > 0)));
  }

  #stamped(live: Live | undefined, next: Live): Live {
    const metadata = next.metadata as Live;
    const old = isJsonObject(live?.metadata) ? live.metadata : undefined;
    const generation = old === undefined ? 1 : Number(old.generation ?? 1) + (jsonEqual(live?.spec, next.spec) ? 0 : 1);
    return {
      ...next,
      metadata: {
        ...metadata,
        uid: old?.uid ?? `uid-${this.#id}${++this.#uids}`,
        creationTimestamp: old?.creationTimestamp ?? timeText(this.#clock.now()),
        ...(next.spec === undefined ? {} : { generation }),
      },
    };
  }

  #store(path: string, collection: string, object: Live): Live {
    const metadata = object.metadata as Live;
    const isDone = typeof metadata.deletionTimestamp === "string" &&
      (!Array.isArray(metadata.finalizers) || metadata.finalizers.length === 0);
    if (isDone) {
      this.#remove(path, collection);
      return object;
    }
    const type = this.#objects.has(path) ? "MODIFIED" : "ADDED";
    const stored: Live = { ...object, metadata: { ...metadata, resourceVersion: String(++this.#version) } };
    this.#objects.set(path, stored);
    this.#tell(path, { type, object: stored });
    if (stored.kind === "CustomResourceDefinition") this.#define(stored);
    return stored;
  }

  #remove(path: string, collection: string): void {
    const object = this.#objects.get(path);
    if (object === undefined) return;
    this.#objects.delete(path);
    const last = { ...object, metadata: { ...object.metadata as Live, resourceVersion: String(++this.#version) } };
    this.#tell(`${collection}/${path.slice(path.lastIndexOf("/") + 1)}`, { type: "DELETED", object: last });
    if (object.kind === "CustomResourceDefinition") {
      const { group } = object.spec as Live;
      this.#kinds = this.#kinds.filter((kind) => kind.group !== group);
    }
  }

  #tell(path: string, event: JsonObject): void {
    this.#history.push({ version: this.#version, path, event });
    for (const watcher of [...this.#watchers]) if (isBelow(path, watcher.path)) watcher.send(event);
  }

  /** Serves the kinds of a CRD and says so in its conditions. */
  #define(definition: Live): void {
    const spec = definition.spec as Live;
    const names = spec.names as Live;
    for (const version of spec.versions as readonly JsonObject[]) {
      const kind: FakeKind = {
        group: String(spec.group),
        version: String(version.name),
        plural: String(names.plural),
        kind: String(names.kind),
        isNamespaced: spec.scope === "Namespaced",
      };
      if (
        !this.#kinds.some((known) =>
          known.group === kind.group && known.version === kind.version && known.kind === kind.kind
        )
      ) {
        this.#kinds = [...this.#kinds, kind];
      }
    }
    if (definition.status !== undefined) return;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${
      String((definition.metadata as Live).name)
    }`;
    const status = { conditions: [{ type: "Established", status: "True" }, { type: "NamesAccepted", status: "True" }] };
    this.#store(path, path.slice(0, path.lastIndexOf("/")), { ...definition, status });
  }

  #makeNamespace(name: string): void {
    this.#store(
      `/api/v1/namespaces/${name}`,
      "/api/v1/namespaces",
      this.#stamped(undefined, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      }),
    );
  }

  #checkNamespace(kind: FakeKind, namespace: string): void {
    if (kind.isNamespaced && !this.#objects.has(`/api/v1/namespaces/${namespace}`)) {
      throw new Refused(404, "NotFound", `namespaces "${namespace}" not found`);
    }
  }

  #checkVersion(kind: FakeKind, name: string, live: Live, body: Live): void {
    const wanted = isJsonObject(body.metadata) ? body.metadata.resourceVersion : undefined;
    if (wanted === undefined || wanted === (live.metadata as Live).resourceVersion) return;
    throw new Refused(
      409,
      "Conflict",
      `Operation cannot be fulfilled on ${
        resourceText(kind)
      } "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    );
  }

  #defaulted(object: Live, live: Live | undefined): Live {
    const spec = isJsonObject(object.spec) ? { ...object.spec } as Live : undefined;
    if (object.kind === "Namespace") {
      const metadata = object.metadata as Live;
      const labels = { ...metadata.labels as Live, "kubernetes.io/metadata.name": metadata.name ?? "" };
      return { ...object, metadata: { ...metadata, labels }, status: { phase: "Active" } };
    }
    if (spec === undefined) return object;
    if (object.kind === "Deployment" || object.kind === "StatefulSet") spec.replicas ??= 1;
    if (object.kind === "Service" && spec.type !== "ExternalName") {
      spec.type ??= "ClusterIP";
      spec.clusterIP ??= isJsonObject(live?.spec) && live.spec.clusterIP !== undefined
        ? live.spec.clusterIP
        : `10.0.0.${this.#uids + 1}`;
    }
    return { ...object, spec };
  }

  #validate(kind: FakeKind, live: Live | undefined, next: Live): void {
    const name = String((next.metadata as Live).name);
    const refuse = (field: string, message: string) => {
      throw new Refused(422, "Invalid", `${kind.kind} "${name}" is invalid: ${field}: ${message}`, [
        { reason: "FieldValueInvalid", field, message },
      ]);
    };
    if (!/^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$/.test(name)) {
      refuse("metadata.name", `Invalid value: "${name}": a lowercase RFC 1123 subdomain`);
    }
    const spec = isJsonObject(next.spec) ? next.spec : {};
    const old = isJsonObject(live?.spec) ? live.spec : {};
    if (kind.kind === "Deployment") {
      const containers = fieldValue(spec, ["f:template", "f:spec", "f:containers"]);
      for (const container of Array.isArray(containers) ? containers : []) {
        if (isJsonObject(container) && !container.image) {
          refuse("spec.template.spec.containers[0].image", "Required value");
        }
      }
      if (live !== undefined && !jsonEqual(old.selector, spec.selector)) {
        refuse("spec.selector", `Invalid value: ${JSON.stringify(spec.selector)}: field is immutable`);
      }
    }
    if (
      (kind.kind === "ConfigMap" || kind.kind === "Secret") && live?.immutable === true &&
      !jsonEqual(live.data, next.data)
    ) {
      refuse("data", "Forbidden: field is immutable when `immutable` is set");
    }
    if (kind.kind === "Secret" && isJsonObject(next.data)) {
      for (const [key, value] of Object.entries(next.data)) {
        if (typeof value !== "string") {
          throw new Refused(
            400,
            "BadRequest",
            `failed to create typed patch object: .data.${key}: expected string, got &value.valueUnstructured{Value:${
              String(value)
            }}`,
          );
        }
      }
    }
  }
}

interface Row {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly time: string;
  readonly fields: FieldSet;
  readonly subresource: string | undefined;
}

function rowsOf(object: JsonObject | undefined): Row[] {
  const metadata = isJsonObject(object?.metadata) ? object.metadata : {};
  const rows = Array.isArray(metadata.managedFields) ? metadata.managedFields as readonly JsonObject[] : [];
  return rows.map((row) => ({
    manager: String(row.manager),
    operation: String(row.operation),
    apiVersion: String(row.apiVersion),
    time: String(row.time),
    fields: parseFields(row.fieldsV1 as JsonObject),
    subresource: row.subresource === undefined ? undefined : String(row.subresource),
  }));
}

function withRows(object: Live, rows: readonly Row[]): Live {
  const managedFields = rows.map((row) => ({
    manager: row.manager,
    operation: row.operation,
    apiVersion: row.apiVersion,
    time: row.time,
    fieldsType: "FieldsV1",
    fieldsV1: printFields(row.fields),
    ...(row.subresource === undefined ? {} : { subresource: row.subresource }),
  }));
  return { ...object, metadata: { ...object.metadata as Live, managedFields } };
}

function sameContent(a: JsonObject, b: JsonObject): boolean {
  const strip = ({ metadata: _, ...rest }: JsonObject) => rest;
  const texts = (object: JsonObject) => {
    const { labels, annotations, finalizers } = object.metadata as JsonObject;
    return { labels: labels ?? {}, annotations: annotations ?? {}, finalizers: finalizers ?? [] };
  };
  return jsonEqual(strip(a), strip(b)) && jsonEqual(texts(a), texts(b));
}

function sameFields(a: FieldSet, b: FieldSet): boolean {
  return a.size === b.size && [...a].every((field) => b.has(field));
}

function minus(fields: FieldSet, lost: FieldSet | undefined): FieldSet {
  return lost === undefined ? fields : new Set([...fields].filter((field) => !lost.has(field)));
}

/** A dry run shows the version of what is there. */
function withoutVersion(object: Live, live: Live | undefined): Live {
  const { resourceVersion: _, ...metadata } = object.metadata as Live;
  const version = isJsonObject(live?.metadata) ? { resourceVersion: live.metadata.resourceVersion ?? "" } : {};
  return { ...object, metadata: { ...metadata, ...version } };
}

function startsWith(field: string, path: readonly string[]): boolean {
  const parts = JSON.parse(field) as string[];
  return parts.length > path.length && path.every((part, index) => part === parts[index]);
}

function isInner(field: string, all: FieldSet): boolean {
  const path = JSON.parse(field) as string[];
  return [...all].some((other) => startsWith(other, path));
}

function matcher(query: Readonly<Record<string, string>>): (object: JsonObject) => boolean {
  const labels = parseLabelSelector(query.labelSelector ?? "");
  const fields = (query.fieldSelector ?? "").split(",").filter((part) => part !== "").map((part) => part.split("="));
  return (object) => {
    const metadata = object.metadata as JsonObject;
    return labels((metadata.labels ?? {}) as Record<string, string>) &&
      fields.every(([path = "", value]) => {
        const found = path.split(".").reduce<JsonValue | undefined>(
          (node, part) => isJsonObject(node) ? node[part] : undefined,
          object,
        );
        return String(found ?? "") === value;
      });
  };
}

/** Whether a path lies in a collection, in one namespace or in all. */
function isBelow(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+\//, "/") === collection;
}

function inCollection(path: string, collection: string, kind: FakeKind): boolean {
  return isBelow(path, collection) && path.includes(`/${kind.plural}/`);
}

function verbOf(request: SeenRequest, name: string | undefined): string {
  if (request.method === "GET") return name !== undefined ? "get" : request.query.watch === "true" ? "watch" : "list";
  return { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" }[request.method] ?? "get";
}

function apiVersion(kind: FakeKind): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

function resourceOf(kind: FakeKind): JsonObject {
  const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
  return { name: kind.plural, kind: kind.kind, namespaced: kind.isNamespaced, verbs };
}

function resourceText(kind: FakeKind): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}

function notFound(): Refused {
  return new Refused(404, "NotFound", "the server could not find the requested resource");
}

function notFoundObject(kind: FakeKind, name: string): Refused {
  return new Refused(404, "NotFound", `${resourceText(kind)} "${name}" not found`);
}

function withoutKind(object: JsonObject): JsonObject {
  const { apiVersion: _, kind: __, ...rest } = object;
  return rest;
}

function mergePatch(target: JsonObject, patch: JsonObject): Live {
  const result: Live = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    if (value === null) delete result[key];
    else result[key] = isJsonObject(value) ? mergePatch(isJsonObject(old) ? old : {}, value) : value;
  }
  return result;
}

function patchOne(object: Live, operation: JsonObject): Live {
  const parts = String(operation.path).slice(1).split("/").map((part) =>
    part.replaceAll("~1", "/").replaceAll("~0", "~")
  );
  const last = parts.pop() ?? "";
  let node: Live = object;
  for (const part of parts) node = node[part] as Live;
  if (operation.op === "test") {
    if (!jsonEqual(node[last], operation.value)) {
      throw new Refused(422, "Invalid", "the server rejected our request: testing value failed");
    }
  } else if (operation.op === "remove") {
    if (node === undefined || !(last in node)) {
      throw new Refused(422, "Invalid", "the server rejected our request: remove of a missing path");
    }
    delete node[last];
  } else node[last] = operation.value ?? null;
  return object;
}
