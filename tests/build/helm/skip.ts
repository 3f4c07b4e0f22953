/** Cases of the vectors that are not met, by suite, number and dialect, each with its reason. */
export const skips: Readonly<Record<string, string>> = {};
