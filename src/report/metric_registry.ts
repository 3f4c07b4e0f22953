/** Labels of a value, in the order in which they are printed. */
export type Labels = Readonly<Record<string, string>>;

/** A figure that only grows. */
export interface Counter {
  /** Adds one. */
  add(labels: Labels): void;
}

/** How values spread over buckets. */
export interface Histogram {
  observe(labels: Labels, value: number): void;
  /** Forgets a set of labels. */
  remove(labels: Labels): void;
}

interface Family {
  readonly head: string;
  readonly lines: () => readonly string[];
}

interface Spread {
  readonly labels: Labels;
  /** Values in each bucket alone; the last one is without a bound. */
  readonly counts: number[];
  sum: number;
}

/** Metrics in Prometheus' text form (exposition format 0.0.4), in the order in which they were made. */
export class MetricRegistry {
  readonly #families: Family[] = [];

  counter(name: string, help: string): Counter {
    const values = new Map<string, number>();
    this.#take(
      "counter",
      name,
      help,
      () => [...values].map(([labels, value]) => `${name}${labels} ${numberText(value)}`),
    );
    return {
      add(labels) {
        const key = labelText(labels);
        values.set(key, (values.get(key) ?? 0) + 1);
      },
    };
  }

  /** `buckets` are upper bounds, from the least. */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    const spreads = new Map<string, Spread>();
    this.#take("histogram", name, help, () => [...spreads.values()].flatMap((one) => spreadLines(name, buckets, one)));
    return {
      observe(labels, value) {
        const key = labelText(labels);
        const spread = spreads.get(key) ?? { labels, counts: Array(buckets.length + 1).fill(0), sum: 0 };
        spreads.set(key, spread);
        const fitting = buckets.findIndex((bound) => value <= bound);
        const at = fitting < 0 ? buckets.length : fitting;
        spread.counts[at] = (spread.counts[at] ?? 0) + 1;
        spread.sum += value;
      },
      remove: (labels) => void spreads.delete(labelText(labels)),
    };
  }

  /** A figure that is read when the metrics are asked for. */
  gauge(name: string, help: string, read: () => Iterable<readonly [Labels, number]>): void {
    this.#take(
      "gauge",
      name,
      help,
      () => [...read()].map(([labels, value]) => `${name}${labelText(labels)} ${numberText(value)}`),
    );
  }

  /** All metrics, each with its help and type, an empty line between two. */
  text(): string {
    return `${this.#families.map(({ head, lines }) => [head, ...lines()].join("\n")).join("\n\n")}\n`;
  }

  #take(type: string, name: string, help: string, lines: () => readonly string[]): void {
    const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    this.#families.push({ head: `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}`, lines });
  }
}

function spreadLines(name: string, buckets: readonly number[], { labels, counts, sum }: Spread): readonly string[] {
  let count = 0;
  const rows = counts.map((own, index) => {
    count += own;
    return `${name}_bucket${labelText({ le: numberText(buckets[index] ?? Infinity), ...labels })} ${count}`;
  });
  return [...rows, `${name}_sum${labelText(labels)} ${numberText(sum)}`, `${name}_count${labelText(labels)} ${count}`];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
