/** Loads what templates may ask for: for those who render without waiting. Imported for its effect. */
import { templateModules } from "../../src/build/helm/template_modules.ts";

for (const { load } of Object.values(templateModules)) await load();
