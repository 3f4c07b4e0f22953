import type { Chart } from "./chart.ts";
import type { Dependency } from "./metadata.ts";

/** What was done to a declaration by all charts that share it. */
interface SharedDeclaration {
  alias?: string;
  isEnabled: boolean;
  importers: number;
}

/** Where a chart stands: what Helm 3 makes its full path of. */
interface Place {
  readonly name: string;
  parent: Place | undefined;
}

/**
 * What charts share in Helm 3 that are one chart under several aliases (3.22, `getAliasDependency` copies only the chart's
 * own record): their declarations, so that what one does to them is seen in the others, and their sub-charts,
 * each of which knows one parent. One for each decision about dependencies.
 */
export class AliasSharing {
  readonly #declarations = new Map<Dependency, SharedDeclaration>();
  readonly #places = new Map<Chart, Place>();

  /** @param chart as it was loaded */
  constructor(chart: Chart) {
    this.#placeLoaded(chart, undefined);
  }

  #placeLoaded(chart: Chart, parent: Place | undefined): void {
    const place = { name: chart.metadata.name, parent };
    this.#places.set(chart, place);
    for (const child of chart.dependencies) this.#placeLoaded(child, place);
  }

  /** The name that an alias has given to a declaration. */
  aliasOf(declaration: Dependency): string | undefined {
    return this.#declarations.get(declaration)?.alias;
  }

  /** Keeps what a chart decided about a declaration: the last one counts. */
  decide(declaration: Dependency, { alias, isEnabled }: { readonly alias: string; readonly isEnabled: boolean }): void {
    const shared = this.#declarations.get(declaration) ?? { isEnabled, importers: 0 };
    if (alias !== "") shared.alias = alias;
    shared.isEnabled = isEnabled;
    this.#declarations.set(declaration, shared);
  }

  /** Knows a declaration in another form, too. */
  keepDeclaration(from: Dependency, to: Dependency): void {
    const shared = this.#declarations.get(from);
    if (shared !== undefined) this.#declarations.set(to, shared);
  }

  /** Whether a chart imports by a declaration: only the first one does, Helm leaves nothing to the next. */
  imports(declaration: Dependency): boolean {
    const shared = this.#declarations.get(declaration);
    return shared === undefined || ++shared.importers === 1;
  }

  /** Knows a chart in another form, too. */
  keepChart(from: Chart, to: Chart): void {
    const place = this.#places.get(from);
    if (place !== undefined) this.#places.set(to, place);
  }

  /** Makes a chart the parent of sub-charts: for those that several charts share, the last one counts. */
  adopt(parent: Chart, children: readonly Chart[]): void {
    const above = this.#places.get(parent);
    for (const child of children) {
      const place = this.#places.get(child);
      if (place === undefined) this.#places.set(child, { name: child.metadata.name, parent: above });
      else place.parent = above;
    }
  }

  /** The chart as the last one of all that share something left it. */
  settled(chart: Chart): Chart {
    const dependencies = chart.metadata.dependencies?.map((declaration) => {
      const shared = this.#declarations.get(declaration);
      if (shared === undefined) return declaration;
      const importValues = shared.importers > 1 ? [] : declaration.importValues;
      return { ...declaration, enabled: shared.isEnabled, importValues };
    });
    const place = this.#places.get(chart);
    return {
      ...chart,
      ...(place?.parent === undefined ? {} : { path: pathOf(place) }),
      metadata: { ...chart.metadata, dependencies },
      dependencies: chart.dependencies.map((child) => this.settled(child)),
    };
  }
}

function pathOf({ name, parent }: Place): string {
  return parent === undefined ? name : `${pathOf(parent)}/charts/${name}`;
}
