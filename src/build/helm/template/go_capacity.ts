/**
 * Room behind the end of a slice, as Go 1.26 (amd64) leaves it: `reflect.Value.Slice` may reach into it, so Sprig's `slice`
 * gives what stands there instead of failing.
 *
 * @module
 */

/** Bytes of the blocks that Go's allocator hands out (runtime/sizeclasses.go), up to 32 KiB. */
const blocks = (
  "8 16 24 32 48 64 80 96 112 128 144 160 176 192 208 224 240 256 288 320 352 384 416 448 480 512 576 640 704 768 896 " +
  "1024 1152 1280 1408 1536 1792 2048 2304 2688 3072 3200 3456 4096 4864 5120 5376 6144 6528 6784 6912 8192 9472 9728 " +
  "10240 10880 12288 13568 14336 16384 18432 19072 20480 21760 24576 27264 28672 32768"
).split(" ").map(Number);
const pageBytes = 8192;
const headerBytes = 8;

/** Capacity after `append` to a full slice of `capacity` elements, so that it holds `needed` (default one more). */
export function grown(capacity: number, elementBytes: number, needed = capacity + 1): number {
  let wanted = 2 * capacity;
  if (needed > wanted) wanted = needed;
  else if (capacity >= 256) {
    wanted = capacity;
    while (wanted < needed) wanted += Math.floor((wanted + 768) / 4);
  }
  const bytes = wanted * elementBytes;
  // Blocks above 512 bytes that hold pointers begin with a header. Numbers take 8 bytes, all else that is met is more.
  const header = bytes > 512 && elementBytes > 8 ? headerBytes : 0;
  const block = blocks.find((size) => size >= bytes + header);
  const room = block === undefined ? Math.ceil(bytes / pageBytes) * pageBytes : block - header;
  return Math.floor(room / elementBytes);
}

/** Capacity of a slice that got its elements one by one; `first` is what it had room for at the start. */
export function capacityOf(length: number, elementBytes: number, first = 0): number {
  let capacity = first;
  while (capacity < length) capacity = grown(capacity, elementBytes);
  return capacity;
}
