// Builds the page into the Python package that serves it.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

// Sources of the bundle besides src/.
const single = [
  "index.html",
  "package-lock.json",
  "package.json",
  "tsconfig.json",
  "vite.config.ts",
];

// One digest of all sources, with which tests/localslack/test_bundle.py checks that the committed
// bundle was built from the committed sources:
// the SHA-256 of "<path>\0<SHA-256 of its content, in hex>\n" for each file, sorted by its path below
// page/ with "/". The hex digest and a newline are written.
function digest(): string {
  const below = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(here.length + 1)
        .split(sep)
        .join("/"),
    );
  const whole = createHash("sha256");
  for (const path of [...single, ...below].sort()) {
    const one = createHash("sha256")
      .update(readFileSync(join(here, path)))
      .digest("hex");
    whole.update(`${path}\0${one}\n`);
  }
  return `${whole.digest("hex")}\n`;
}

// The package folder of a bundled module; undefined for our own modules.
function packageOf(id: string): string | undefined {
  const found = /^\0?(.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/.exec(id);
  return found?.[1];
}

function licence(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e(\.|$)/i.test(one));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : "(no licence text shipped)";
  return `${name} ${version} (${license})\n\n${text}\n`;
}

// A package that is bundled within another, whose licence does not mention it.
const nestedLicence =
  "@yozora/parser and its tokenizers (MIT), within slack-blocks-to-jsx\n\n" +
  "Copyright (c) 2020-2023 guanghechen (https://github.com/guanghechen)\n" +
  "The terms are those of the MIT License above.\n";

function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of Object.keys(chunk.modules)) {
          const folder = packageOf(id);
          if (folder && existsSync(join(folder, "package.json"))) folders.add(folder);
        }
      }
      const rule = `\n${"-".repeat(72)}\n\n`;
      const source = [
        "The page of the local Slack bundles these packages:\n",
        ...[...folders].sort().map(licence),
        nestedLicence,
      ].join(rule);
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
      this.emitFile({ type: "asset", fileName: "sources.sha256", source: digest() });
    },
  };
}

export default defineConfig({
  plugins: [react(), licences()],
  // Our short list of emoji replaces the library's (340 kB).
  resolve: { alias: { "node-emoji": join(here, "src", "emoji.ts") } },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    chunkSizeWarningLimit: 1000, // kB, most of it the library's own parsers
    rollupOptions: {
      output: {
        entryFileNames: "assets/page.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/page[extname]",
        codeSplitting: false,
      },
    },
  },
  server: { proxy: { "/page": { target: "http://127.0.0.1:3100", ws: true } } },
});
