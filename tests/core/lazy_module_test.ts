import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { lazyModule, MissingModule, withModules } from "../../src/core/lazy_module.ts";

Deno.test("withModules() begins again after each module that is missing, and loads each once", async () => {
  const opened: string[] = [];
  const module = (name: string) =>
    lazyModule(() => {
      opened.push(name);
      return Promise.resolve({ name });
    });
  const [first, second] = [module("first"), module("second")];
  let rounds = 0;
  const work = () => {
    rounds++;
    return `${first().name} ${second().name}`;
  };

  throws(work, MissingModule);
  equal(await withModules(work), "first second");
  equal(await withModules(work), "first second");
  equal(rounds, 5);
  deepEqual(opened, ["first", "second"]);
});

Deno.test("withModules() passes on what else is thrown, and what a module's loading throws", async () => {
  await rejects(withModules(() => Promise.reject(new Error("own"))), /own/);
  const broken = lazyModule(() => Promise.reject(new Error("gone")));
  await rejects(withModules(() => broken()), /gone/);
});
