import type { Child } from "hono/jsx";
import { condition } from "../core/condition.ts";
import { refOfEntry } from "../core/inventory.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText, placeText } from "../core/object.ts";
import { refText } from "../core/resource.ts";
import type { ObjectStatus } from "../core/status.ts";
import type { NumberedEvent } from "./status_board.ts";
import { stateOf, summaryOf } from "./status_board.ts";

/** What every page shows beside its content. */
export interface PageFacts {
  readonly version: string;
  readonly nowMs: number;
}

/** Events on a page. */
const mostEvents = 30;

/** The first page: counts, every object, the last events. Whole without JavaScript; all text is escaped by JSX. */
export function overviewPage(
  statuses: readonly ObjectStatus[],
  events: readonly NumberedEvent[],
  facts: PageFacts,
): string {
  const counts = summaryOf(statuses);
  const title = counts.failing === 0 ? "Pilotfish" : `(${counts.failing}) Pilotfish`;
  return page(
    title,
    facts,
    (
      <>
        <div class="counts">
          {(["ready", "failing", "working", "suspended"] as const).map((state) => (
            <div class="count">
              <b class={counts[state] === 0 ? "" : state}>{counts[state]}</b>
              <span>{state}</span>
            </div>
          ))}
        </div>
        <h2>Objects</h2>
        <div class="card">
          {statuses.length === 0
            ? <p class="empty">No objects yet. Put documents into the config file or folder.</p>
            : <ObjectTable statuses={statuses} nowMs={facts.nowMs} />}
        </div>
        <h2>Events</h2>
        <Events events={events} nowMs={facts.nowMs} />
      </>
    ),
  );
}

/** The page of one object: conditions, what it applied, where it comes from, what happened. */
export function objectPage(
  status: ObjectStatus,
  all: readonly ObjectStatus[],
  events: readonly NumberedEvent[],
  facts: PageFacts,
): string {
  const name = keyText(status.key);
  const children = all.filter((other) => other.parent !== undefined && keyText(other.parent) === name);
  const own = events.filter((event) => keyText(event.object) === name);
  const problems = (status.health ?? []).filter((health) => health.status !== "Current");
  return page(
    `${status.key.name} · ${status.key.kind}`,
    facts,
    (
      <>
        <h2>{status.key.kind} · {status.key.namespace}</h2>
        <div class="card">
          <dl>
            <dt>Name</dt>
            <dd>
              <b>{status.key.name}</b>
            </dd>
            <dt>State</dt>
            <dd>
              <StateMark status={status} />
            </dd>
            <Row label="Revision" value={status.artifact?.revision ?? status.lastAppliedRevision} mono />
            <Row label="Fetched from" value={status.artifact?.url} mono />
            <Row label="Attempted revision" value={attempted(status)} mono />
            <Row label="Target" value={status.target} />
            <Row label="Document" value={status.place === undefined ? undefined : placeText(status.place)} mono />
            {status.parent === undefined ? null : (
              <>
                <dt>Found in</dt>
                <dd>
                  <ObjectLink of={status.parent} />
                </dd>
              </>
            )}
            <Row label="Generation" value={`${status.generation} (observed ${status.observedGeneration})`} />
            <Row label="Next run" value={status.nextRunAt} />
          </dl>
        </div>
        {status.hint === undefined ? null : <p class="hint">{status.hint}</p>}
        {status.warnings.map((warning) => <p class="hint">{warning}</p>)}
        <h2>Conditions</h2>
        <div class="card scroll">
          <table>
            <tr>
              <th>Type</th>
              <th>Status</th>
              <th>Reason</th>
              <th>Message</th>
              <th class="wide">Since</th>
            </tr>
            {status.conditions.map((one) => (
              <tr>
                <td>{one.type}</td>
                <td>{one.status}</td>
                <td>{one.reason}</td>
                <td class="message">{one.message}</td>
                <td class="wide">{age(one.lastTransitionTime, facts.nowMs)}</td>
              </tr>
            ))}
          </table>
        </div>
        {problems.length === 0 ? null : (
          <>
            <h2>Not healthy</h2>
            <div class="card">
              <ul class="plain">
                {problems.map((health) => <li>{refText(health.ref)}: {health.status}: {health.message}</li>)}
              </ul>
            </div>
          </>
        )}
        {children.length === 0 ? null : (
          <>
            <h2>Objects of its artifact</h2>
            <div class="card">
              <ObjectTable statuses={children} nowMs={facts.nowMs} />
            </div>
          </>
        )}
        {status.inventory === undefined ? null : (
          <>
            <h2>Inventory · {status.inventory.entries.length}</h2>
            <div class="card">
              <ul class="plain mono">
                {status.inventory.entries.map((entry) => <li>{refText(refOfEntry(entry))}</li>)}
              </ul>
            </div>
          </>
        )}
        {status.history.length === 0 ? null : (
          <>
            <h2>History</h2>
            <div class="card scroll">
              <table>
                <tr>
                  <th>Last run</th>
                  <th>Outcome</th>
                  <th>Revision</th>
                  <th>Runs</th>
                </tr>
                {status.history.map((row) => (
                  <tr>
                    <td>{age(row.lastReconciled, facts.nowMs)}</td>
                    <td>{row.status}</td>
                    <td class="mono">{shortRevision(row.revision)}</td>
                    <td>{row.totalReconciliations} · {row.lastDurationMs} ms</td>
                  </tr>
                ))}
              </table>
            </div>
          </>
        )}
        <h2>Events</h2>
        <Events events={own} nowMs={facts.nowMs} />
      </>
    ),
  );
}

function page(title: string, facts: PageFacts, content: Child): string {
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/assets/page.css" />
        <script src="/assets/page.js" defer></script>
      </head>
      <body>
        <header>
          <h1>
            <a href="/">Pilotfish</a>
          </h1>
          <span class="live">as of the last load</span>
        </header>
        <main>{content}</main>
        <footer>
          Pilotfish {facts.version} · <a href="/api/v1/objects">objects as JSON</a> · <a href="/metrics">metrics</a>
        </footer>
      </body>
    </html>
  );
  return `<!doctype html>${html.toString()}`;
}

function ObjectTable({ statuses, nowMs }: { readonly statuses: readonly ObjectStatus[]; readonly nowMs: number }) {
  return (
    <div class="scroll">
      <table>
        <tr>
          <th>State</th>
          <th>Kind</th>
          <th class="wide">Namespace</th>
          <th>Name</th>
          <th class="wide">Revision</th>
          <th>Message</th>
          <th class="wide">Since</th>
        </tr>
        {statuses.map((status) => {
          const ready = condition(status.conditions, "Ready");
          return (
            <tr>
              <td>
                <StateMark status={status} />
              </td>
              <td>{status.key.kind}</td>
              <td class="wide">{status.key.namespace}</td>
              <td>
                <ObjectLink of={status.key} />
              </td>
              <td class="wide mono">{shortRevision(status.artifact?.revision ?? status.lastAppliedRevision ?? "")}</td>
              <td class="message">{ready?.message ?? "waiting for its first run"}</td>
              <td class="wide">{ready === undefined ? "" : age(ready.lastTransitionTime, nowMs)}</td>
            </tr>
          );
        })}
      </table>
    </div>
  );
}

function Events({ events, nowMs }: { readonly events: readonly NumberedEvent[]; readonly nowMs: number }) {
  if (events.length === 0) {
    return (
      <div class="card">
        <p class="empty">Nothing happened yet.</p>
      </div>
    );
  }
  return (
    <div class="card scroll">
      <table>
        {events.slice(-mostEvents).reverse().map((event) => (
          <tr>
            <td class={event.severity === "error" ? "failing" : "ready"}>{event.reason}</td>
            <td>
              <ObjectLink of={event.object} />
            </td>
            <td class="message">{event.message}{event.count > 1 ? ` (${event.count} times)` : ""}</td>
            <td class="wide">{age(event.timestamp, nowMs)}</td>
          </tr>
        ))}
      </table>
    </div>
  );
}

function StateMark({ status }: { readonly status: ObjectStatus }) {
  const state = stateOf(status);
  return <span class={`state ${state}`}>{state}</span>;
}

function ObjectLink({ of }: { readonly of: ObjectKey }) {
  const parts = [of.kind, of.namespace, of.name].map(encodeURIComponent);
  return <a href={`/objects/${parts.join("/")}`}>{of.name}</a>;
}

function Row(
  { label, value, mono }: { readonly label: string; readonly value: string | undefined; readonly mono?: boolean },
) {
  if (value === undefined || value === "") return null;
  return (
    <>
      <dt>{label}</dt>
      <dd class={mono === true ? "mono" : ""}>{value}</dd>
    </>
  );
}

function attempted(status: ObjectStatus): string | undefined {
  const { lastAttemptedRevision: revision } = status;
  return revision === (status.artifact?.revision ?? status.lastAppliedRevision) ? undefined : revision;
}

function shortRevision(revision: string): string {
  return revision.replace(/(sha\d+:[0-9a-f]{8})[0-9a-f]+/, "$1");
}

function age(time: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1000));
  if (Number.isNaN(seconds)) return "";
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
