/**
 * Lint rule `pilotfish/doors`: the outside world (runtime API, network, wall clock, timers, randomness) is reached
 * through `src/platform` only, so that every other room can be tested with values.
 */
const forbiddenCalls = new Set(["fetch", "setTimeout", "setInterval"]);
const forbiddenMembers = new Set([
  "Date.now",
  "Math.random",
  "performance.now",
  "crypto.getRandomValues",
  "crypto.randomUUID",
]);

function isInside(filename: string): boolean {
  return /\/src\//.test(filename) && !/\/src\/platform\//.test(filename);
}

const plugin: Deno.lint.Plugin = {
  name: "pilotfish",
  rules: {
    doors: {
      create(context) {
        if (!isInside(context.filename)) return {};
        const report = (node: Deno.lint.Node, what: string) =>
          context.report({ node, message: `Cannot use "${what}" here: only src/platform reaches outside` });
        return {
          MemberExpression(node) {
            if (node.object.type !== "Identifier") return;
            if (node.object.name === "Deno") report(node, "Deno");
            else if (node.property.type === "Identifier") {
              const name = `${node.object.name}.${node.property.name}`;
              if (forbiddenMembers.has(name)) report(node, name);
            }
          },
          CallExpression(node) {
            if (node.callee.type === "Identifier" && forbiddenCalls.has(node.callee.name)) {
              report(node, node.callee.name);
            }
          },
          NewExpression(node) {
            if (node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0) {
              report(node, "new Date()");
            }
          },
        };
      },
    },
  },
};

export default plugin;
