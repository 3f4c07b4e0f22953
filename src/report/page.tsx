import type { Child } from "hono/jsx";
import { condition } from "../core/condition.ts";
import { refOfEntry } from "../core/inventory.ts";
import { keyText, placeText } from "../core/object.ts";
import { refText } from "../core/resource.ts";
import type { ObjectStatus } from "../core/status.ts";
import { age, Events, Message, ObjectLink, ObjectTable, Row, shortRevision, StateMark, Tree } from "./page_parts.tsx";
import type { NumberedEvent, State } from "./status_board.ts";
import { stateOf, summaryOf } from "./status_board.ts";

/** What every page shows beside its content. */
export interface PageFacts {
  readonly version: string;
  readonly nowMs: number;
}

/** Which objects the first page lists; absent members do not count. */
export interface PageFilter {
  readonly state?: State;
  readonly kind?: string;
}

const states: readonly State[] = ["ready", "failing", "working", "suspended"];

/** The filter that a request asks for; what is unknown is left out. */
export function filterOf(query: { readonly state?: string; readonly kind?: string }): PageFilter {
  const state = states.find((known) => known === query.state);
  return {
    ...(state === undefined ? {} : { state }),
    ...(query.kind === undefined || query.kind === "" ? {} : { kind: query.kind }),
  };
}

function filterPath(filter: PageFilter): string {
  const query = new URLSearchParams({ ...filter }).toString();
  return query === "" ? "/" : `/?${query}`;
}

/**
 * The first page: counts, every object, how they hang together, the last events. Counts and kinds are links that filter,
 * so it is whole without JavaScript; all text is escaped by JSX.
 */
export function overviewPage(
  statuses: readonly ObjectStatus[],
  events: readonly NumberedEvent[],
  facts: PageFacts,
  filter: PageFilter = {},
): string {
  const counts = summaryOf(statuses);
  const title = counts.failing === 0 ? "Pilotfish" : `(${counts.failing}) Pilotfish`;
  const kinds = [...new Set(statuses.map((status) => status.key.kind))];
  const shown = statuses.filter((status) =>
    (filter.state === undefined || stateOf(status) === filter.state) &&
    (filter.kind === undefined || status.key.kind === filter.kind)
  );
  const isFiltered = filter.state !== undefined || filter.kind !== undefined;
  const { state: _, ...ofKind } = filter;
  const { kind: __, ...ofState } = filter;
  return page(
    title,
    facts,
    (
      <>
        <nav class="counts" aria-label="Objects by state">
          {states.map((state) => (
            <a
              class={`count ${counts[state] === 0 ? "none" : state}${filter.state === state ? " chosen" : ""}`}
              href={filterPath(filter.state === state ? ofKind : { ...filter, state })}
            >
              <b>{counts[state]}</b>
              <span>{state}</span>
            </a>
          ))}
        </nav>
        <Share counts={counts} total={statuses.length} />
        <h2>Objects</h2>
        {kinds.length < 2 ? null : (
          <nav class="kinds" aria-label="Kinds">
            <a class={filter.kind === undefined ? "chosen" : ""} href={filterPath(ofState)}>all</a>
            {kinds.map((kind) => (
              <a class={filter.kind === kind ? "chosen" : ""} href={filterPath({ ...filter, kind })}>{kind}</a>
            ))}
          </nav>
        )}
        <div class="card">
          {statuses.length === 0
            ? <p class="empty">No objects yet. Put documents into the config file or folder.</p>
            : shown.length === 0
            ? (
              <p class="empty">
                No object is like this. <a href="/">Show all</a>
              </p>
            )
            : <ObjectTable statuses={shown} nowMs={facts.nowMs} />}
        </div>
        {isFiltered || statuses.length === 0 ? null : (
          <>
            <h2>How they hang together</h2>
            <div class="card">
              <Tree statuses={statuses} />
            </div>
          </>
        )}
        <h2>Events</h2>
        <Events events={events} nowMs={facts.nowMs} />
      </>
    ),
  );
}

/** How the states share the whole, as one bar. */
function Share({ counts, total }: { readonly counts: Readonly<Record<State, number>>; readonly total: number }) {
  if (total === 0) return null;
  let at = 0;
  return (
    <svg class="share" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      {states.map((state) => {
        const width = counts[state] / total * 100;
        at += width;
        return <rect class={state} x={String(at - width)} y="0" width={String(width)} height="1" />;
      })}
    </svg>
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
  const users = all.filter((other) => other.source !== undefined && keyText(other.source) === name);
  const ready = condition(status.conditions, "Ready");
  const problems = (status.health ?? []).filter((health) => health.status !== "Current");
  return page(
    `${status.key.name} · ${status.key.kind}`,
    facts,
    (
      <>
        <p class="crumbs">
          <a href="/">Objects</a> / <a href={filterPath({ kind: status.key.kind })}>{status.key.kind}</a> /{" "}
          {status.key.namespace}
        </p>
        <div class={`banner ${stateOf(status)}`}>
          <h2 class="title">{status.key.name}</h2>
          <StateMark status={status} />
          {ready === undefined ? null : <Message text={ready.message} />}
          {status.hint === undefined ? null : <p class="advice">{status.hint}</p>}
        </div>
        <div class="card">
          <dl>
            <Row label="Revision" value={status.artifact?.revision ?? status.lastAppliedRevision} mono />
            <Row label="Fetched from" value={status.artifact?.url} mono />
            <Row label="Attempted revision" value={attempted(status)} mono />
            <Row label="Target" value={status.target} />
            <Row label="Document" value={status.place === undefined ? undefined : placeText(status.place)} mono />
            {status.source === undefined ? null : (
              <>
                <dt>Source</dt>
                <dd>
                  {status.source.kind} <ObjectLink of={status.source} />
                </dd>
              </>
            )}
            {status.parent === undefined ? null : (
              <>
                <dt>Found in</dt>
                <dd>
                  {status.parent.kind} <ObjectLink of={status.parent} />
                </dd>
              </>
            )}
            <Row label="Generation" value={`${status.generation} (observed ${status.observedGeneration})`} />
            <Row label="Failures in a row" value={status.failures === 0 ? undefined : String(status.failures)} />
            <Row label="Next run" value={status.nextRunAt} />
          </dl>
        </div>
        {status.warnings.map((warning) => <p class="hint">{warning}</p>)}
        <h2>Conditions</h2>
        <div class="card">
          <table class="blocks">
            <thead>
              <tr>
                <th>Type</th>
                <th>Status</th>
                <th>Reason</th>
                <th>Message</th>
                <th class="since">Since</th>
              </tr>
            </thead>
            <tbody>
              {status.conditions.map((one) => (
                <tr>
                  <td>{one.type}</td>
                  <td>{one.status}</td>
                  <td>{one.reason}</td>
                  <td class="message">
                    <Message text={one.message} />
                  </td>
                  <td class="since">{age(one.lastTransitionTime, facts.nowMs)}</td>
                </tr>
              ))}
            </tbody>
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
        {users.length === 0 ? null : (
          <>
            <h2>Used by</h2>
            <div class="card">
              <ObjectTable statuses={users} nowMs={facts.nowMs} />
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
                <thead>
                  <tr>
                    <th>Outcome</th>
                    <th>Revision</th>
                    <th>Runs</th>
                    <th>Last took</th>
                    <th class="since">Last run</th>
                  </tr>
                </thead>
                <tbody>
                  {status.history.map((row) => (
                    <tr>
                      <td>{row.status}</td>
                      <td class="mono">{shortRevision(row.revision)}</td>
                      <td>{row.totalReconciliations}</td>
                      <td>{row.lastDurationMs} ms</td>
                      <td class="since">{age(row.lastReconciled, facts.nowMs)}</td>
                    </tr>
                  ))}
                </tbody>
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
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/page.css" />
        <script src="/assets/page.js" defer></script>
        <noscript>
          <meta http-equiv="refresh" content="15" />
        </noscript>
      </head>
      <body>
        <header>
          <h1>
            <a href="/">
              <img src="/assets/icon.svg" alt="" width="30" height="30" />Pilotfish
            </a>
          </h1>
          <span class="live" role="status">as of the last load</span>
        </header>
        <main>{content}</main>
        <footer>
          Pilotfish {facts.version} · <a href="/api/v1/objects">objects</a> and <a href="/api/v1/events">events</a>{" "}
          as JSON · <a href="/metrics">metrics</a>
        </footer>
      </body>
    </html>
  );
  return `<!doctype html>${html.toString()}`;
}

function attempted(status: ObjectStatus): string | undefined {
  const { lastAttemptedRevision: revision } = status;
  return revision === (status.artifact?.revision ?? status.lastAppliedRevision) ? undefined : revision;
}
