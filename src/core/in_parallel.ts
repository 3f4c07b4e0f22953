/**
 * Does something with each item, at most `width` at a time, in their order of start; gives back what came of each, in the
 * same order. The first failure lets nothing more
 * start; it is thrown when everything that was under way has ended, so that nothing goes on behind the caller's back.
 */
export async function inParallel<Item, Result>(
  items: Iterable<Item>,
  width: number,
  action: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const rest = items[Symbol.iterator]();
  const results: Result[] = [];
  let count = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (failure === undefined) {
      try {
        const next = rest.next();
        if (next.done === true) return;
        const index = count++;
        results[index] = await action(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}
