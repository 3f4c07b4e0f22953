import { mediaTypes } from "../../src/core/descriptor.ts";
import type { World } from "./world.ts";

/** Pushes chart `web` with one template to `charts/web`, tagged with its version; its values have `text: preset`. */
export function putWebChart(world: World, version: string, template: string): void {
  world.registry.put({
    repository: "charts/web",
    tag: version,
    config: {
      mediaType: mediaTypes.helmConfig,
      bytes: new TextEncoder().encode(JSON.stringify({ name: "web", version })),
    },
    mediaType: mediaTypes.helmChart,
    files: {
      "web/Chart.yaml": `apiVersion: v2\nname: web\nversion: ${version}\n`,
      "web/values.yaml": "text: preset\n",
      "web/templates/map.yaml": template,
    },
  });
}
