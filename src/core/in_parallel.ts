/**
 * Does something with each item, at most `width` at a time, in their order of start. The first failure lets nothing more
 * start; it is thrown when everything that was under way has ended, so that nothing goes on behind the caller's back.
 */
export async function inParallel<Item>(
  items: Iterable<Item>,
  width: number,
  action: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (failure === undefined) {
      try {
        const next = rest.next();
        if (next.done === true) return;
        await action(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failure !== undefined) throw failure.error;
}
